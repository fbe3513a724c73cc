"""Make the first clusters, joined and kept apart by ids of earlier runs and by corrections, before any comparison."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from mahdar.errors import UsageError
from mahdar.linking.clusters import ActorCluster, ActorForm, Join, are_parted, final
from mahdar.linking.corrections import Correction, Corrections

_OURS: Final = re.compile(r"A([0-9]{1,15})")


def seeded(
    forms: Sequence[ActorForm], corrections: Corrections, former: Mapping[str, Sequence[str]]
) -> list[ActorCluster]:
    """Make a cluster of every form; join those that an earlier run or a correction declares one.

    Args:
        forms: all forms, in order.
        corrections: decisions of a person, which override earlier runs.
        former: for each actor, the ids that were joined to it before.

    Raises:
        UsageError: two corrections contradict each other.
    """
    clusters = [ActorCluster([form], actor_id=form.actor_id) for form in forms]
    by_side = defaultdict[int, list[ActorCluster]](list)
    for cluster, form in zip(clusters, forms, strict=True):
        for side in form.sides:
            by_side[side].append(cluster)
    parted = [at for at, row in enumerate(corrections.rows) if row.decision == "apart"]
    for side, other in [pair for at in parted for pair in ((2 * at, 2 * at + 1), (2 * at + 1, 2 * at))]:
        for cluster in by_side[side]:
            cluster.apart.add(other)
    for at, row in enumerate(corrections.rows):
        if row.decision == "same":
            _make_one(row, [*by_side[2 * at], *by_side[2 * at + 1]])
    _keep_earlier(cluster for cluster in clusters if cluster.into is None)
    for at, row in enumerate(corrections.rows):
        if row.decision == "id":
            _make_one(row, by_side[2 * at])
            _give_id(row, by_side[2 * at])
    kept = [cluster for cluster in clusters if cluster.into is None]
    for cluster in kept:
        cluster.former_ids += former.get(cluster.actor_id or "", ())
    return kept


def _keep_earlier(clusters: Iterable[ActorCluster]) -> None:
    """Join clusters with one id, unless a correction keeps them apart; then the first keeps the id."""
    clusters = list(clusters)
    first = {id_: cluster for cluster in clusters for id_ in cluster.former_ids}
    for cluster in clusters:
        if cluster.actor_id is None:
            continue
        known = first.setdefault(cluster.actor_id, cluster)
        if known is cluster:
            continue
        if are_parted(known, cluster):
            cluster.actor_id = None
            for form in cluster.forms:
                form.actor_id = None
        else:
            known.take(cluster, Join(known.head.name, cluster.head.name, ["id: of an earlier run"]))


def _make_one(row: Correction, clusters: Sequence[ActorCluster]) -> None:
    """Join the clusters that a correction declares one.

    Raises:
        UsageError: another correction keeps two of them apart.
    """
    for cluster in clusters[1:]:
        keeper, other = sorted((final(clusters[0]), final(cluster)), key=_age)
        if keeper is other:
            continue
        if are_parted(keeper, other):
            raise UsageError(
                f"{row.place}: {keeper.head.name!r} and {other.head.name!r} are to be one here, and apart in another "
                "row: remove one of the two"
            )
        if keeper.actor_id and other.actor_id and other.actor_id != keeper.actor_id:
            keeper.former_ids.append(other.actor_id)
        keeper.take(other, Join(keeper.head.name, other.head.name, [f"correction: {row.place}"]))


def _give_id(row: Correction, clusters: Sequence[ActorCluster]) -> None:
    """Assign the id of a correction; an earlier id becomes a former one."""
    for cluster in {final(one): None for one in clusters}:
        if cluster.actor_id not in {None, row.b.actor_id}:
            cluster.former_ids.append(str(cluster.actor_id))
        cluster.actor_id = row.b.actor_id


def _age(cluster: ActorCluster) -> tuple[int, int, tuple[str, int]]:
    """Return a sort key: ids of the user's own first, then numbered ones, then clusters without id."""
    ours = _OURS.fullmatch(cluster.actor_id or "")
    rank = 2 if cluster.actor_id is None else 1 if ours else 0
    return rank, int(ours[1]) if ours else 0, cluster.head.key
