"""Stories of `serverless_execution_iaas`: functions deployed, given privileges and used, one after the other."""

from __future__ import annotations

from ..accounts import CORPORATE, DATA, PROD, SANDBOX
from ..formats import aws_functions
from ..functions import LAMBDA_HOME, RUNNER
from ..people import office_address
from ..story import ANY, Alert, Step, Story, steps_of

_APP = "nw-corp-jobs"


def iaas(variation: str, function: str) -> Alert:
    """The alert about a function: `<project>/<region>/<name>`."""
    return Alert("serverless_execution_iaas", variation, {"function": function})


def prod(name: str) -> str:
    """A function of the production account."""
    return f"{PROD}/eu-west-1/{name}"


ATTACKS: tuple[Story, ...] = (
    Story(
        id="azure-owner",
        title="A hijacked administrator makes somebody an owner, and changes a function app",
        account=f"james.cole/{CORPORATE}",
        alerts=(iaas("v1", f"{CORPORATE}/{_APP}"),),
        why="he has never given anybody a role, and never deployed anything",
        steps=steps_of(
            f"james.cole/{CORPORATE}",
            office_address("GB"),
            (38, "17:02:10", "role"),
            (38, "17:09:44", ("Microsoft.Web/sites/functions/write", f"sites/{_APP}/functions/sync")),
        ),
    ),
    Story(
        id="bad-dependency",
        title="A malicious dependency gets into the order mailer, which then makes itself a key",
        account="ci-deploy",
        alerts=(iaas("v2", prod("order-mailer")),),
        why="the pipeline deploys it twice a week, but its role has never made credentials",
        steps=(
            Step(
                40,
                "16:00:25",
                "ci-deploy",
                aws_functions.update_code(PROD, "order-mailer", "order-mailer-role"),
                RUNNER,
            ),
            Step(40, "16:12:09", "order-mailer", "new_key", LAMBDA_HOME[0]),
        ),
    ),
    Story(
        id="back-door",
        title="A back door in a new feature, opened from a hijacked developer's session",
        account="ci-deploy",
        alerts=(iaas("v2", prod("feature-05")),),
        why="nobody but the shop invokes functions, and he did not deploy it",
        steps=(
            Step(43, "11:00:40", "ci-deploy", aws_functions.update_code(PROD, "feature-05", "feature-05-role"), RUNNER),
            Step(
                43,
                "11:08:15",
                f"daniel.kaminski/{PROD}",
                aws_functions.invoke(PROD, "feature-05"),
                office_address("PL"),
            ),
        ),
    ),
    Story(
        id="takeover",
        title="A new hire's stolen session gives a function everything, changes it, and has it make a user",
        account=f"ola.wrobel/{PROD}",
        alerts=(iaas("v3", prod("invoice-export")), iaas("v1", prod("invoice-export"))),
        why="she never attached a policy, and the function never made users; raised as Medium before the user was made",
        steps=(
            Step(
                36,
                "14:00:30",
                f"ola.wrobel/{PROD}",
                aws_functions.attach_policy("invoice-export-role", aws_functions.ADMINISTRATOR),
                office_address("PL"),
            ),
            Step(
                36,
                "14:06:02",
                f"ola.wrobel/{PROD}",
                aws_functions.update_code(PROD, "invoice-export", "invoice-export-role"),
                office_address("PL"),
            ),
            Step(36, "14:20:47", "invoice-export", aws_functions.create_user("support-2"), LAMBDA_HOME[1]),
        ),
    ),
)

SURPRISES: tuple[Story, ...] = (
    Story(
        id="first-deployment",
        title="First function of a new account",
        account="ci-sandbox",
        alerts=(iaas("base", f"{SANDBOX}/eu-west-1/trial"),),
        why="its pipeline truly never deployed before",
        first=(35, "09:00:21"),
        last=(35, "09:00:21"),
    ),
)

DECOYS: tuple[Story, ...] = (
    Story(
        id="weekly-feature",
        title="The pipeline makes a role, attaches a policy and creates a function, as every Wednesday",
        account="ci-deploy",
        alerts=(iaas("", prod("feature-05")),),
        why="it has done all of it before",
        first=(30, "00:00"),
        last=(38, "00:00"),
    ),
    Story(
        id="known-secret",
        title="The invoice export is deployed anew and reads its secret",
        account="ci-deploy",
        alerts=(iaas("", prod("invoice-export")),),
        why="the secret that it has always read",
        first=(31, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="other-role",
        title="An engineer gives a role more rights that no function runs with",
        account=f"anouk.visser/{DATA}",
        alerts=(iaas("", ANY),),
        why="no function was deployed with that role",
        steps=steps_of(
            f"anouk.visser/{DATA}", office_address("NL"), (39, "11:15:00", aws_functions.attach_policy("analyst-role"))
        ),
    ),
)
