"""Stories of the detections that ask where in the organization somebody works: regions, projects, stores of secrets."""

from __future__ import annotations

from .. import addresses
from ..accounts import SANDBOX
from ..formats import aws_instances
from ..machines import NEW_INSTANCE_DAY, instance_id
from ..story import Alert, Story, steps_of
from .countries import secrets

ATTACKS: tuple[Story, ...] = (
    Story(
        id="far-miners",
        title="A poisoned pipeline starts a machine in São Paulo",
        account="ci-deploy",
        alerts=(Alert("compute_activity_dormant_region", "v2", {"compute_region": "sa-east-1"}),),
        why="disks and machines are made in Ireland only; the runner and its role are the usual ones",
        steps=steps_of(
            "ci-deploy",
            addresses.in_region("azure/eastus", "runner/0"),
            (40, "15:20:44", aws_instances.run(instance_id("miner"), "shop-worker", "sa-east-1")),
        ),
    ),
)

SURPRISES: tuple[Story, ...] = (
    Story(
        id="second-project",
        title="A colleague begins to work in the sandbox, too",
        account=f"joost.dekker/{SANDBOX}",
        alerts=(Alert("unusual_cross_project_activity", "base", {}),),
        why="he has worked in the monitoring account only",
        first=(33, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="new-worker-s-parameters",
        title="A new instance reads its parameters",
        account="renderer",
        alerts=(secrets("base", "GetParameter"),),
        why="its role has never read any",
        first=(NEW_INSTANCE_DAY, "00:00"),
        last=(44, "23:59"),
    ),
)

DECOYS: tuple[Story, ...] = ()
