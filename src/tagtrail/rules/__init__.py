"""Release policy: functions over facts that yield findings."""
