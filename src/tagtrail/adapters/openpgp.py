"""The release key through pysequoia: one detached, armoured v4 signature for each file."""

from tagtrail.model.errors import SetupError

__all__ = ["OpenPGP", "generate"]


def generate(user_id: str) -> str:
    """A new armoured secret key (RFC 4880 profile, Curve25519: what gpg 2.2 can import) that does not expire."""
    from pysequoia import ArmorKind, CipherSuite, Profile, Tsk, armor

    key = Tsk.generate(
        user_id=user_id, profile=Profile.RFC4880, cipher_suite=CipherSuite.Cv25519, validity_seconds=None
    )
    return armor(bytes(key), ArmorKind.SecretKey)


class OpenPGP:
    """The port `Signer` over an armoured secret key."""

    def __init__(self, secret: bytes) -> None:
        from pysequoia import Tsk

        try:
            self._key = Tsk.from_bytes(secret)
            self._signer = self._key.signer()
        except RuntimeError as error:
            raise SetupError(
                f"the release key cannot be used: {error}",
                code="release-key",
                hint="gpg --show-keys private/release-key.pgp; one without a passphrase, whose signing key is valid",
            ) from error
        self._public = self._key.extract_certificate()

    @property
    def fingerprint(self) -> str:
        """See `tagtrail.ports.Signer`."""
        return self._public.fingerprint.upper()

    @property
    def certificate(self) -> str:
        """See `tagtrail.ports.Signer`."""
        return str(self._public)

    def sign(self, data: bytes) -> bytes:
        """See `tagtrail.ports.Signer`."""
        from pysequoia import SignatureMode, sign

        return sign(self._signer, data, mode=SignatureMode.DETACHED, armor=True)
