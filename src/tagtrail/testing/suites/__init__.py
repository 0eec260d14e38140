"""One conformance suite for each port: plain functions, each one promise of the port's docstring, for any runner.

A check takes a case: an `open` that gives a handle on one place, empty at first, as often as it is called, and what a
test needs to do behind the adapter's back. With pytest:

    @pytest.mark.parametrize("check", ledger.CHECKS)
    def test_ledger(check, tmp_path):
        check(functools.partial(MyLedger, tmp_path / "trail.db"))

`PROCESS_CHECKS` are for adapters whose state outlives a process: `open` must be importable by a child (a partial of a
class is). A broken promise is a `Broken`, an AssertionError that says which.
"""
