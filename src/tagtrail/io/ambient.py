"""The token that a CI issues to the workflow in which we run (OpenID Connect), found by `id`, as twine and sigstore do:
on GitHub, GitLab, CircleCI, Buildkite and Google Cloud."""

from tagtrail.model.errors import SetupError

__all__ = ["workflow_token"]


def workflow_token(audience: str) -> str | None:
    """The token for `audience`; None: this is no workflow of a CI that is known.

    Raises SetupError `extra-missing` (`id` is not installed), `ci-token` (the CI does not give it).
    """
    try:
        from id import IdentityError, detect_credential
    except ImportError as error:
        what = "asking a CI for its token needs `id`, which is not installed"
        hint = "pip install 'tagtrail[ci]', or put a builder's token into $TAGTRAIL_TOKEN"
        raise SetupError(what, code="extra-missing", hint=hint) from error
    try:
        return detect_credential(audience)
    except IdentityError as error:
        raise SetupError(
            f"this CI does not give a token for {audience}", code="ci-token", why=str(error),
            hint="GitHub: permissions: {id-token: write}; GitLab: id_tokens in the job",
        ) from error  # fmt: skip
