"""The bill of materials that lies beside a release: of the metadata of what was built here, or the project's own."""

from tagtrail.formats.sbom import MAX_OWN, check_own, format_sbom, sbom_name
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Blob, Built
from tagtrail.workflows.road import Road

__all__ = ["bill"]


def bill(road: Road, built: Built) -> tuple[tuple[str, bytes], ...]:
    """(name, bytes) of the SBOM; nothing where no file that was built here has metadata, unless the project
    brings one.

    Raises ProjectError `sbom-missing`, `sbom-form`, and what `Source.file` raises.
    """
    tag, project = built.plan.tag, next((p for p in road.settings.projects if p.name == built.plan.tag.project), None)
    name = sbom_name(tag.project, tag.version)
    if project is not None and project.sbom:
        return ((name, _own(road, project.repo, tag.commit, project.sbom)),)
    metadata = _metadata(built)
    if metadata is None:
        return ()
    files = tuple((a.name, a.blob.sha256) for a in built.artifacts)
    data = format_sbom(road.kept.read(metadata.sha256), purl=built.plan.purl, files=files, epoch=tag.time)
    return ((name, data),)


def _metadata(built: Built) -> Blob | None:
    """Of a wheel, where one was built here: an sdist may leave open what it needs, and what was brought speaks for
    itself alone."""
    ours = (a for a in built.artifacts if a.origin.how == "built")
    found = sorted(ours, key=lambda a: (not a.name.endswith(".whl"), a.name))
    return next((a.metadata for a in found if a.metadata), None)


def _own(road: Road, repo: str, commit: str, path: str) -> bytes:
    data = road.source.file(repo, commit, path)
    if data is None:
        raise ProjectError(
            f"there is no SBOM at {path} in commit {commit[:12]}", code="sbom-missing",
            why=f"the settings say that the project brings its own, a plain file of at most {MAX_OWN} bytes",
            hint="commit it before tagging, or leave `sbom` out of the project's settings",
        )  # fmt: skip
    check_own(data, path)
    return data
