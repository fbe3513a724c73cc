"""The rule reader: drafts without a model. `RulesDrafter` is all that other rooms import."""
