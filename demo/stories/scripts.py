"""Stories of `serverless_execution_saas`: Apps Script projects that run on what other people do."""

from __future__ import annotations

from ..accounts import SUBSIDIARY, WORKSPACE
from ..automation import SCRIPT, script_id
from ..formats.workspace import approve, script, share_outside
from ..people import office_address
from ..story import Alert, Story, steps_of

_CARMEN, _POL, _INES = f"carmen.ruiz/{WORKSPACE}", f"pol.vermeulen/{WORKSPACE}", f"ines.ortega/{WORKSPACE}"


def about_script(variation: str, title: str = "") -> Alert:
    """The alert about the script of that title, or about whatever script."""
    return Alert("serverless_execution_saas", variation, {"script": script_id(title) if title else ""})


def _written(title: str) -> tuple[str, str, str, object]:
    return script("create", script_id(title), title)


ATTACKS: tuple[Story, ...] = (
    Story(
        id="mail-watcher",
        title="A script that runs on every form that comes in",
        account=_POL,
        alerts=(about_script("base", "Form helper"),),
        why="written and bound to an event, and nothing more",
        steps=steps_of(
            _POL,
            office_address("BE", SUBSIDIARY),
            (33, "11:10:00", _written("Form helper")),
            (33, "11:12:25", approve("Form helper", "forms", "script.scriptapp")),
        ),
    ),
    Story(
        id="drive-sync",
        title="A script that runs by itself and may talk to any server",
        account=_CARMEN,
        alerts=(about_script("v1", "Drive sync"),),
        why="the trigger and the outside world are granted in one go",
        steps=steps_of(
            _CARMEN,
            office_address("ES", SUBSIDIARY),
            (36, "17:50:10", _written("Drive sync")),
            (36, "17:52:31", approve("Drive sync", "drive", "script.scriptapp", "script.external_request")),
        ),
    ),
    Story(
        id="collector",
        title="A script is written, and the files of the account are downloaded in a rush",
        account=_CARMEN,
        alerts=(about_script("v2", "Tidy up"),),
        why="no trigger, but twenty downloads within ten minutes",
        steps=steps_of(
            _CARMEN,
            office_address("ES", SUBSIDIARY),
            (41, "19:30:00", _written("Tidy up")),
            *((41, f"19:{31 + number // 3}:{number % 3 * 17 + 5:02}", "download") for number in range(24)),
        ),
    ),
)

SURPRISES: tuple[Story, ...] = ()

DECOYS: tuple[Story, ...] = (
    Story(
        id="known-script",
        title="The budget's script is changed and approved anew",
        account=_INES,
        alerts=(about_script("", SCRIPT),),
        why="it is in ScriptScope",
        steps=steps_of(
            _INES,
            office_address("ES", SUBSIDIARY),
            (37, "08:31:00", script("edit", script_id(SCRIPT), SCRIPT)),
            (37, "08:31:30", approve(SCRIPT, "spreadsheets", "script.scriptapp", "script.external_request")),
        ),
    ),
    Story(
        id="idle-script",
        title="Somebody tries out a script",
        account=_INES,
        alerts=(about_script("", "Untitled project"),),
        why="a script that is only written raises nothing",
        steps=steps_of(_INES, office_address("ES", SUBSIDIARY), (40, "12:10:00", _written("Untitled project"))),
    ),
    Story(
        id="outside-share",
        title="A price list goes to a customer",
        account=_POL,
        alerts=(about_script(""),),
        why="no script has anything to do with it",
        steps=steps_of(
            _POL,
            office_address("BE", SUBSIDIARY),
            (39, "10:00:00", share_outside("1prices", "Prices", "buyer@customer.example")),
        ),
    ),
)
