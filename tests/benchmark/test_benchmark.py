"""The benchmark's organizations are the same for a seed, its attacks of every variation, its measures right on small examples
that can be counted by hand, and the library that its ablations run on says what the shipped app says."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Iterable

import pytest

from benchmark import __main__ as command
from benchmark import band
from benchmark import rows as rows_of
from benchmark.attacks import PLAIN, kinds, lay, missing
from benchmark.attacks.attack import Act, Attack
from benchmark.attacks.machines import OUTSIDE
from benchmark.attacks.scene import APART, WARM
from benchmark.detectors import library, ours
from benchmark.detectors.alert import Alert
from benchmark.detectors.others import NewTerms, Poisson, PreviouslySeen, Rarity
from benchmark.life import Life
from benchmark.logs import Logs, Told, Truth
from benchmark.measures import measure
from benchmark.moments import ROUTINE, TRAVEL
from benchmark.parameters import all_numbers
from benchmark.places import places
from benchmark.rows import Rows
from benchmark.world import Plan, World
from cba.detection.catalogue import load
from cba.enrich.geo import GeoReader
from cba.judging.rows import Row
from demo.accounts import on_m365
from demo.lists import fill
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from tests.support.effort import MANY

SMALL = Plan(size=100, seed=5, days=50)
DAY = 86_400
FIRST = SMALL.first_time
ANN = "ann@nordwind.example"


@functools.cache
def life() -> Life:
    return Life(World(SMALL))


@functools.cache
def laid(seed: int) -> list[Attack]:
    """The attacks of an organization of the size that is reported."""
    return lay(Life(World(Plan(size=300, seed=seed, days=75))))


# -- the organization -----------------------------------------------------------------------------------------------------


def test_a_seed_gives_the_same_logs_and_another_seed_others() -> None:
    days = [[(e.raw, e.indextime) for e, _ in zip(Logs(plan, 0, 0).events(), range(300))] for plan in (SMALL, SMALL)]
    assert days[0] == days[1]
    other = [event.raw for event, _ in zip(Logs(Plan(size=100, seed=6, days=50), 0, 0).events(), range(300))]
    assert other != [raw for raw, _indexed in days[0]]


def test_every_number_says_where_it_comes_from() -> None:
    numbers = dict(all_numbers())
    assert len(numbers) > 20
    assert all(len(number.because) > 15 and number.about for number in numbers.values())


def test_normal_life_has_what_makes_it_hard() -> None:
    causes = {moment.cause for day in range(SMALL.days) for moment in life().day(day)}
    wanted = {"attempts from everywhere", "mistyped password", "travel", "mobile carrier", "new hire", "autoscaling",
              "provider's back end", "functions deployed", "new vendor", "shell on call"}  # fmt: skip
    assert wanted <= causes


def test_a_larger_organization_has_more_of_everything() -> None:
    small, large = World(SMALL), World(Plan(size=1000, seed=5, days=50))
    for attribute in ("people", "machines", "aws", "hosts", "offices", "clusters"):
        assert len(getattr(large, attribute)) > len(getattr(small, attribute)), attribute


# -- the attacks ----------------------------------------------------------------------------------------------------------


def test_there_is_an_attack_for_every_variation_of_every_detection() -> None:
    assert missing() == []
    known = {(d.id, v.id) for d in load().detections.values() for v in d.all_variations}
    assert {(detection, variation) for detection, each in PLAIN.items() for variation in each} == known


def test_attacks_are_laid_apart_and_in_every_way_of_being_stealthy() -> None:
    plan = Plan(size=300, seed=5, days=75)
    attacks = lay(Life(World(plan)), plain=1, stealthy=1)
    assert len({attack.id for attack in attacks}) == len(attacks)
    assert {attack.stealth for attack in attacks} == {kinds.PLAIN, *kinds.STEALTH}
    spoiled = [a for a in attacks if a.stealth in (kinds.POISONED, kinds.REHEARSED, kinds.REPEATED)]
    for attack in spoiled:
        others = [a for a in attacks if a is not attack and a.detection == attack.detection]
        assert not any(a.acts[-1].account.identity == attack.acts[-1].account.identity for a in others), attack.id
    plain = [attack for attack in attacks if not attack.stealth]
    assert all(WARM <= attack.acts[0].day < plan.days for attack in plain)


def test_no_attack_reaches_into_the_deduplication_period_of_another() -> None:
    for seed in range(5, 10):
        hits: dict[str, list[tuple[int, int]]] = {}
        for attack in laid(seed):
            if attack.detection == OUTSIDE and attack.stealth != kinds.POISONED:
                hits.setdefault(attack.acts[-1].account.identity, []).append((attack.acts[0].day, attack.acts[-1].day))
        for days in map(sorted, hits.values()):
            assert all(begun - ended >= APART for (_first, ended), (begun, _last) in zip(days, days[1:]))


def test_another_network_is_none_of_the_cloud() -> None:
    """Amazon has networks from which its published addresses do not come, and in which its machines are at home."""
    geo = GeoReader()
    own = {geo.lookup(places().region(name, "x")).asn for name in places().regions if name.startswith("aws/")}
    for seed in range(5, 10):
        for attack in laid(seed):
            if (attack.detection, attack.variation) == (OUTSIDE, "v4"):
                assert geo.lookup(attack.acts[0].address).asn not in own


# -- the measures ---------------------------------------------------------------------------------------------------------


def truth_of(*attacks: tuple[str, int]) -> Truth:
    """Attacks on ann's mail, each one event at a second after the first."""
    account = on_m365(ANN)
    made = []
    for name, second in attacks:
        act = Act(second // DAY, second % DAY, account, "Send", "198.51.100.1")
        made.append(Attack(name, "cloud_unusual_country", "v2", "", (act,)))
    truth = Truth(made)
    for name, second in attacks:
        truth.note("m365", ANN, FIRST + second, Told("attack", name, FIRST + second + 600))
    return truth


def alert(second: int, score: float = 1.0, variation: str = "v2", severity: str = "medium") -> Alert:
    return Alert("cloud_unusual_country", "m365", (ANN,), (FIRST + second,), score, severity, variation)


def test_recall_precision_rates_and_delay_are_counted() -> None:
    truth = truth_of(("a", 40 * DAY + 100), ("b", 41 * DAY + 100))
    truth.note("m365", ANN, FIRST + 42 * DAY, Told(TRAVEL, "", 0.0))
    alerts = [alert(40 * DAY + 100, 5.0), alert(42 * DAY, 9.0, severity="low"), alert(20 * DAY, severity="low")]
    result = measure("it", alerts, truth, SMALL)
    assert (result.recall().made, result.recall().found, result.recall().exact) == (2, 1, 1)
    assert result.missed == ["b"]
    assert result.precision == 0.5
    per = 1000 / SMALL.size / (SMALL.days - WARM)
    assert result.rates == {"low": per, "all": per, "low or higher": per}
    assert result.warming["all"] == 1000 / SMALL.size / (WARM - 14)
    assert result.causes == {(TRAVEL, "cloud_unusual_country", "low", "v2"): 1}
    assert result.delays == [ours.tick_after(FIRST + 40 * DAY + 700) - (FIRST + 40 * DAY + 100)]


def test_another_variation_is_found_but_not_exact_and_another_person_is_not_found() -> None:
    truth = truth_of(("a", 40 * DAY))
    assert measure("it", [alert(40 * DAY, variation="v3")], truth, SMALL).otherwise == ["a: v3"]
    elsewhere = Alert("cloud_unusual_country", "m365", ("bob@nordwind.example",), (FIRST + 40 * DAY,), 1.0)
    result = measure("it", [elsewhere], truth, SMALL)
    assert result.recall().found == 0
    assert result.causes == {(ROUTINE, "cloud_unusual_country", "", ""): 1}


def test_an_alert_of_the_first_days_finds_nothing() -> None:
    assert measure("it", [alert(3 * DAY)], truth_of(("a", 3 * DAY)), SMALL).recall().found == 0


def test_a_budget_is_spent_on_false_alerts_from_the_highest_score_down() -> None:
    truth = truth_of(("a", 40 * DAY), ("b", 41 * DAY))
    false = [alert(45 * DAY + n, 5.0) for n in range(4)]
    alerts = [alert(40 * DAY, 9.0), *false, alert(41 * DAY, 1.0)]
    spent = measure("it", alerts, truth, SMALL)
    assert spent.at_budget[0.1] == 0.5, "a comes before all that is false, b after it"
    assert spent.at_budget[10.0] == 1.0
    # Without an order, one false alert a day and 1,000 identities is 1.9 of these four; the rest is left to chance.
    even = measure("it", [alert(40 * DAY), *(alert(45 * DAY + n) for n in range(4))], truth_of(("a", 40 * DAY)), SMALL)
    assert even.at_budget[1.0] == pytest.approx(1.9 / 4)


# -- the other detectors --------------------------------------------------------------------------------------------------


def rows(source: str, *seen: tuple[int, str, str], **more: str) -> Rows:
    """Rows of (day, country, identity) at noon."""
    made = []
    for day, country, identity in seen:
        second = FIRST + day * DAY + 43_200
        cells = {"identity": identity, "country": country, "ip_scope": "public", "src_ip": f"ip-{country}", **more}
        made.append(Row(second, second, 1, (second,), cells, {"operations": "RunInstances"}))
    return Rows({source: sorted(made, key=lambda row: row.bucket)})


def days(alerts: Iterable[Alert]) -> list[int]:
    return [(each.second - FIRST) // DAY for each in alerts]


def test_new_terms_forget_after_ten_days_and_wait_for_nothing() -> None:
    seen = rows("m365", (0, "NL", ANN), (5, "NL", ANN), (16, "NL", ANN), (17, "NL", ANN), (17, "DE", ANN))
    assert days(NewTerms().alerts(seen)) == [0, 16, 17]


def test_poisson_needs_a_fortnight_and_is_used_to_newcomers() -> None:
    quiet = [(day, "NL", ANN) for day in range(30)]
    assert days(Poisson().alerts(rows("m365", *quiet, (5, "FR", ANN)))) == [], "a scope of five days is too young"
    assert days(Poisson().alerts(rows("m365", *quiet, (20, "FR", ANN)))) == [20]
    restless = [(day, f"C{day}", ANN) for day in range(20)]
    assert days(Poisson().alerts(rows("m365", *quiet, *restless, (25, "FR", ANN)))) == []


def test_rarity_ranks_what_is_rarer_higher() -> None:
    seen = rows("m365", *((day % 29, "NL", ANN) for day in range(200)), (29, "FR", ANN))
    found = Rarity().alerts(seen)
    assert days(found) == [29]
    assert found[0].score == pytest.approx(8.65, abs=0.02)  # half an event of 201


def test_the_usual_searches_have_their_defects() -> None:
    usual = [(day, "NL", ANN) for day in range(20)]
    told = PreviouslySeen().alerts(rows("aws", *usual, (19, "FR", "mallory")))
    assert {each.who for each in told if each.about == "provisioning from a new country"} == {("mallory",)}
    alone = rows("aws", *usual[:-1], (19, "FR", "mallory"))
    assert PreviouslySeen().alerts(alone) == [], "an hour in which nothing is known raises nothing"
    early = PreviouslySeen().alerts(rows("aws", (0, "NL", ANN), (1, "NL", ANN), (1, "FR", "mallory")))
    assert early == [], "the lookup is not seven days old"


# -- the seam -------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not MANY, reason="replays two months through the lab; CBA_EXAMPLES=many runs it")
def test_the_library_over_rows_says_what_the_shipped_app_says() -> None:
    logs = Logs(Plan(size=100, seed=5, days=48), plain=1, stealthy=0)
    with tempfile.TemporaryDirectory() as folder, SearchHead(APP_DIR, Path(folder)) as head:
        fill(head, logs.lists)
        head.events.add(logs.events())
        ours.run(head)
        shipped = {str(each["finding_id"]): each for each in head.kv.collection("cba_findings").find()}
        quarantined = [dict(each) for each in head.kv.collection("cba_quarantined").find()]
        rows = rows_of.read(head)
    lists = library.with_shipped({**logs.lists, "quarantined": quarantined})
    again = {str(each["finding_id"]): each for each in library.judge(rows, lists)}
    assert len(shipped) > 50
    assert again.keys() == shipped.keys()
    for name, finding in shipped.items():
        told = [(each["variation"], int(each["first_time"]), int(each["count"])) for each in (finding, again[name])]
        assert told[0] == told[1], name
    found = measure("ours", [ours.alert_of(each) for each in shipped.values()], logs.truth, logs.plan)
    assert found.recall().made > 40
    assert found.recall().own == found.recall().made, found.missed
    ablation = {each.name: each for each in library.ABLATIONS}
    counted = len(ablation["refused sign-ins counted"].alerts(rows, lists))
    assert counted > len(shipped), "attempts from everywhere alert, and teach"
    assert len(ablation["without back-off"].alerts(rows, lists)) < len(shipped), "nobody is asked for the untrained"


def test_the_band_says_what_is_outside() -> None:
    expected = {"found": (0.9, 1.0), "gone": (0.0, 1.0)}
    said = band.outside({"found": 0.5, "new": 1.0}, expected)
    assert said == [
        "found is 0.500, expected 0.9 to 1",
        "gone is expected and was not measured",
        "new is 1.000, and expected.json says nothing of it",
    ]
    assert band.outside({"found": 0.95, "gone": 0.1}, expected) == []
    assert all(least <= most for least, most in band.read().values())


def test_results_are_kept_by_what_they_were_measured_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "benchmark").mkdir()
    life, report = tmp_path / "benchmark" / "life.py", tmp_path / "benchmark" / "report.py"
    life.write_text("1")
    report.write_text("1")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    names = {command.kept_as(plan, ideas, lab) for plan in (SMALL, Plan(size=100, seed=6, days=50)) for ideas in (True, False)
             for lab in (True, False)}  # fmt: skip
    assert len(names) == 8
    report.write_text("2")
    assert command.kept_as(SMALL, True, True) in names, "how it is told changes nothing"
    life.write_text("2")
    assert command.kept_as(SMALL, True, True) not in names
