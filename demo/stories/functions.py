"""Stories of `cloud_function_unusual_runtime`: functions in languages that their project does not use."""

from __future__ import annotations

from .. import addresses
from ..accounts import ANALYTICS, DATA, PROD, SANDBOX, STAGING
from ..formats import aws, aws_functions, gcp_functions
from ..functions import RUNNER
from ..people import office_address
from ..story import Alert, Story, steps_of
from .chains import iaas, prod


def runtime(variation: str, family: str) -> Alert:
    """The alert about functions in a language."""
    return Alert("cloud_function_unusual_runtime", variation, {"runtime": family})


ATTACKS: tuple[Story, ...] = (
    Story(
        id="bot-function",
        title="Hijacked laptop of a developer creates a function that sends spam",
        account=f"tomasz.nowak/{PROD}",
        alerts=(runtime("base", "java"), iaas("base", prod("notify"))),
        why="the account's functions are Python and Node.js; the staging account has used Java for weeks",
        steps=steps_of(
            f"tomasz.nowak/{PROD}",
            office_address("PL"),
            (40, "19:12:30", aws_functions.create(PROD, "notify", "java21", "order-mailer-role")),
        ),
    ),
    Story(
        id="poisoned-pipeline",
        title="A poisoned build step adds a function of its own",
        account="ci-staging",
        alerts=(runtime("v1", "nodejs"),),
        why="Node.js is new to the staging account, known elsewhere, and this pipeline creates functions every week",
        steps=steps_of(
            "ci-staging",
            RUNNER,
            (36, "08:19:55", aws_functions.create(STAGING, "lint", "nodejs22.x", "candidate-role")),
        ),
    ),
    Story(
        id="data-scraper",
        title="Phished analyst's session creates a function that copies tables out",
        account=f"katarzyna.lis/{ANALYTICS}",
        alerts=(runtime("v2", "ruby"), iaas("base", f"{ANALYTICS}/europe-west1/export-all")),
        why="nobody in the organization has ever used Ruby",
        steps=steps_of(
            f"katarzyna.lis/{ANALYTICS}",
            office_address("PL"),
            (37, "16:45:10", gcp_functions.create(ANALYTICS, "export-all", "ruby33", "functions")),
        ),
    ),
    Story(
        id="miner-image",
        title="A miner in a container image, created with a data engineer's credentials",
        account=f"anouk.visser/{DATA}",
        alerts=(runtime("v3", "container-image"),),
        why="she creates functions herself (informational), and nobody uses images (low), but an image is Medium",
        steps=steps_of(
            f"anouk.visser/{DATA}",
            office_address("NL"),
            (42, "17:20:08", aws_functions.create(DATA, "resample", "Image", "report-role")),
        ),
    ),
)

SURPRISES: tuple[Story, ...] = ()

DECOYS: tuple[Story, ...] = (
    Story(
        id="new-version",
        title="The pipeline moves on to a newer Python",
        account="ci-deploy",
        alerts=(runtime("", "python"),),
        why="another version of a language that the project uses",
        steps=steps_of(
            "ci-deploy",
            RUNNER,
            (38, "10:30:00", aws_functions.create(PROD, "feature-next", "python3.13", "feature-04-role")),
        ),
    ),
    Story(
        id="refused-function",
        title="A creation in .NET that was refused",
        account="ci-deploy",
        alerts=(runtime("", "dotnet"),),
        why="no function came of it",
        steps=steps_of(
            "ci-deploy",
            RUNNER,
            (39, "10:31:00", aws_functions.create(PROD, "ledger", "dotnet8", "ledger-role", "AccessDeniedException")),
        ),
    ),
    Story(
        id="changed-runtime",
        title="An existing function is rewritten in Ruby",
        account="ci-deploy",
        alerts=(runtime("", "ruby"),),
        why="changes of functions are not judged unless cba_function_changes says so",
        steps=steps_of(
            "ci-deploy",
            RUNNER,
            (
                33,
                "10:12:00",
                aws_functions.update_configuration(PROD, "feature-03", "feature-03-role", runtime="ruby3.3"),
            ),
        ),
    ),
    Story(
        id="sandbox-function",
        title="First function of a new account",
        account="ci-sandbox",
        alerts=(runtime("", "python"),),
        why="the account has nothing to compare with, and the organization knows Python",
        steps=steps_of(
            "ci-sandbox",
            addresses.in_region("azure/eastus", "runner/2"),
            (35, "09:00:21", aws_functions.create(SANDBOX, "trial", "python3.12", "trial-role")),
        ),
    ),
    Story(
        id="edge-function",
        title="A rewrite rule of the content delivery network",
        account="ci-deploy",
        alerts=(runtime("", "cloudfront"),),
        why="CloudFront calls its rewrite rules functions too, and creates them by a call of the same name",
        steps=steps_of(
            "ci-deploy",
            RUNNER,
            (
                34,
                "10:40:00",
                aws.Call(
                    "cloudfront",
                    "CreateFunction",
                    {"name": "redirect", "functionConfig": {"runtime": "cloudfront-js-2.0", "comment": ""}},
                    read_only=False,
                    global_service=True,
                ),
            ),
        ),
    ),
)
