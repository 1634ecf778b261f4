"""How does a browser prove that its person holds a passkey (W3C Web Authentication, level 3)?

The authenticator signs our challenge for our address, after it made sure that the right person is there. No attestation
is asked for: which maker's device it is tells us nothing that we use. Everything that comes from the browser is hostile
until the library has checked it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from drachm.adapters.rest.identity.errors import Unauthenticated

CHALLENGE_BYTES = 32
_ANSWER_MAX = 8_192


@dataclass(frozen=True, slots=True)
class Registered:
    """A new passkey."""

    credential: bytes
    public_key: bytes
    """COSE, RFC 9052."""
    count: int


@dataclass(frozen=True, slots=True)
class Presented:
    """What a browser says which passkey it holds; nothing of it is proved yet."""

    credential: bytes
    handle: bytes
    """The user handle that we gave when it was made."""
    text: str


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Passkeys of one address."""

    host: str
    origin: str

    def wanted(self, challenge: bytes, handle: bytes, name: str, known: Sequence[bytes]) -> str:
        """What `navigator.credentials.create` is asked for, as JSON. `known`: those that the person has already."""
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        selection = AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        )
        options = generate_registration_options(
            rp_id=self.host,
            rp_name="Drachm",
            user_name=name,
            user_id=handle,
            challenge=challenge,
            authenticator_selection=selection,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        )
        return options_to_json(options)

    def registered(self, answer: str, challenge: bytes) -> Registered:
        """The passkey that a browser made. Raises Unauthenticated (`passkey_invalid`)."""
        from webauthn import verify_registration_response

        try:
            made = verify_registration_response(
                credential=_short(answer),
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except Exception:  # noqa: BLE001 - decoders raise what they like; whatever it is, it is no passkey
            raise Unauthenticated("passkey_invalid") from None
        return Registered(made.credential_id, made.credential_public_key, made.sign_count)

    def asked(self, challenge: bytes, allowed: Sequence[bytes] = ()) -> str:
        """What `navigator.credentials.get` is asked for, as JSON: one of those allowed; none named: any of ours."""
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

        options = generate_authentication_options(
            rp_id=self.host,
            challenge=challenge,
            allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in allowed],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def presented(self, answer: str) -> Presented:
        """Which passkey an answer is of. Raises Unauthenticated (`passkey_invalid`)."""
        from webauthn.helpers import base64url_to_bytes

        try:
            said = msgspec.json.decode(_short(answer))
            credential, handle = said["rawId"], said["response"]["userHandle"]
            return Presented(base64url_to_bytes(credential), base64url_to_bytes(handle), answer)
        except (ValueError, TypeError, KeyError, AttributeError, msgspec.DecodeError):
            raise Unauthenticated("passkey_invalid") from None

    def proved(self, presented: Presented, challenge: bytes, public_key: bytes, count: int) -> int:
        """The passkey's new count, if it signed the challenge here and its person was made sure of.

        A count that does not rise where one is kept is a copy of the passkey (section 6.1.1). Raises Unauthenticated.
        """
        from webauthn import verify_authentication_response

        try:
            done = verify_authentication_response(
                credential=presented.text,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=count,
                require_user_verification=True,
            )
        except Exception:  # noqa: BLE001 - as above
            raise Unauthenticated("passkey_invalid") from None
        return done.new_sign_count


def passkeys_of(base_url: str) -> Passkeys | None:
    """The passkeys of this service's address; None where browsers make none: at bare numbers, and without encryption
    but on this machine."""
    place = urlsplit(base_url)
    host = place.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        secure = place.scheme == "https" or host == "localhost"
        return Passkeys(host, f"{place.scheme}://{place.netloc}") if host and secure else None
    return None


def _short(answer: str) -> str:
    if len(answer) > _ANSWER_MAX:
        raise Unauthenticated("passkey_invalid")
    return answer
