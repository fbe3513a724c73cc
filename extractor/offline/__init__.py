"""The rule reader: drafts without a model. `RulesDrafter` is all that other rooms import; see `README.md`."""

from mahdar.offline.drafter import RulesDrafter

__all__ = ["RulesDrafter"]
