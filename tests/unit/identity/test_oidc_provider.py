"""People log in at a real OIDC provider, its keys change under us, and a second implementation reads our tokens."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import http.cookiejar
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

sys.path.insert(0, str(Path(__file__).parent))

from drachm.adapters.rest.identity import Environment, Kind, Principal, Role, Scope, Unauthenticated
from drachm.adapters.rest.identity.claims import ClaimMap
from drachm.adapters.rest.identity.clients import ASSERTION_TYPE, Assertions, Client
from drachm.adapters.rest.identity.issuer import SigningKeys, TokenEndpoint
from drachm.adapters.rest.identity.jwks import KeySet, discovered
from drachm.adapters.rest.identity.memory import ClientsInMemory, DirectoryInMemory, StatementsInMemory
from drachm.adapters.rest.identity.model import MemberTie, Relation
from drachm.adapters.rest.identity.tokens import Provider, Tokens, read_token

HERE = Path(__file__).parent / "oidc"
HIDDEN = re.compile(r'name="([a-z_]+)" value="([^"]*)"')


def not_run(why: str) -> None:
    """A developer without Node.js goes on; CI does not pass what it did not try."""
    if os.environ.get("CI"):
        pytest.fail(f"NOT RUN: {why}")
    pytest.skip(f"NOT RUN: {why}")


@pytest.fixture(scope="session")
def node_folder() -> Path:
    """A folder with the packages of the lock file, installed once for all workers of a test run."""
    if not shutil.which("node") or not shutil.which("npm"):
        not_run("Node.js and npm are needed for the real identity provider")
    folder = Path(os.environ["DRACHM_TEST_FOLDER"]) / "oidc"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for source in HERE.glob("*.*"):
                shutil.copy(source, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                not_run(f"npm ci: {done.stderr[-500:]}")
            (folder / "installed").touch()
    return folder


class RealProvider:
    """The running provider, and how people and machines get tokens from it."""

    def __init__(self, issuer: str, redirect: str, audience: str) -> None:
        self.issuer, self.redirect, self.audience = issuer, redirect, audience

    def sign_with(self, keys: str, alg: str = "ES256") -> None:
        urllib.request.urlopen(f"{self.issuer}/test/keys?next={keys}&alg={alg}", data=b"", timeout=10).close()

    def log_in(self, login: str, scope: str = "openid events:read") -> dict[str, Any]:
        """The authorisation code flow with PKCE, as a browser walks it."""
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        browser = Browser(self.redirect)
        asked = {
            "client_id": "desk",
            "response_type": "code",
            "redirect_uri": self.redirect,
            "scope": scope,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "state": "s",
        }
        page = browser.open(f"{self.issuer}/auth?{urllib.parse.urlencode(asked)}")
        for _ in range(2):  # who are you, do you agree
            if browser.arrived:
                break
            fields = {"login": login, "password": "any", **dict(HIDDEN.findall(page))}
            action = re.search(r'action="([^"]+)"', page)
            assert action, page
            page = browser.open(urllib.parse.urljoin(self.issuer, action[1]), fields)
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(browser.arrived).query)["code"][0]
        return self._token(
            grant_type="authorization_code",
            client_id="desk",
            code=code,
            redirect_uri=self.redirect,
            code_verifier=verifier,
        )

    def machine(self, scope: str = "events:write") -> str:
        answer = self._token(
            grant_type="client_credentials", client_id="software", client_secret="only-for-tests", scope=scope
        )
        return str(answer["access_token"])

    def _token(self, **form: str) -> dict[str, Any]:
        basic = {}
        if "client_secret" in form:
            pair = f"{form.pop('client_id')}:{form.pop('client_secret')}".encode()
            basic = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        request = urllib.request.Request(f"{self.issuer}/token", urllib.parse.urlencode(form).encode(), basic)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.load(answer))


class Browser:
    """Follows redirects with its cookies until it is sent back to the application."""

    def __init__(self, home: str) -> None:
        self.arrived = ""
        browser = self

        class Follow(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
                if newurl.startswith(home):
                    browser.arrived = newurl
                    return None
                return super().redirect_request(req, fp, code, msg, headers, newurl)

        self._opener = urllib.request.build_opener(
            Follow, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def open(self, url: str, form: dict[str, str] | None = None) -> str:
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            with self._opener.open(url, data, timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            if self.arrived:
                return ""
            raise AssertionError(f"{error.code}: {error.read().decode()[:500]}") from error


@pytest.fixture(scope="module")
def provider(node_folder: Path) -> Iterator[RealProvider]:
    said = (node_folder / f"provider-{os.getpid()}.log").open("w+")
    process = subprocess.Popen(
        ["node", "provider.mjs"],
        cwd=node_folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
    )
    assert process.stdout
    line = next((line for line in process.stdout if line.startswith("{")), "")
    if not line:
        pytest.fail(f"the provider did not start: {(node_folder / said.name).read_text()[-2000:]}")
    yield RealProvider(**json.loads(line))
    process.communicate(timeout=20)  # closes its input, at which it ends
    said.close()


class Service:
    """Drachm, trusting that provider for one tenant."""

    def __init__(self, real: RealProvider) -> None:
        self.seconds = 0.0
        self.calls = 0
        fetch = discovered(real.issuer)

        def counted() -> object:
            self.calls += 1
            return fetch()

        settings = Provider(real.issuer, real.audience, ClaimMap(frozenset({"alder"}), tenant=("tenant",)))
        keys = KeySet(counted, monotonic=lambda: self.seconds)
        self.directory = DirectoryInMemory()
        self.tokens = Tokens({real.issuer: (settings, keys)}, self.directory, Environment.LIVE)

    def caller(self, token: str, at: datetime | None = None) -> Principal:
        return self.tokens.verify(read_token(token), at or datetime.now(UTC))

    def refused(self, token: str, at: datetime | None = None) -> str:
        with pytest.raises(Unauthenticated) as told:
            self.caller(token, at)
        return told.value.code


@pytest.fixture
def service(provider: RealProvider) -> Iterator[Service]:
    provider.sign_with("a")
    yield Service(provider)
    provider.sign_with("a")


def test_a_person_logs_in_and_is_known_here(provider: RealProvider, service: Service) -> None:
    token = provider.log_in("carl")["access_token"]
    caller = service.caller(token)
    assert (caller.tenant, caller.kind, caller.subject) == ("alder", Kind.PERSON, f"{provider.issuer}|carl")
    assert (caller.roles, caller.parties, caller.scopes) == ({Role.CLERK}, {"north"}, {Scope.EVENTS_READ})
    assert service.caller(provider.log_in("olga", "openid events:read money:read")["access_token"]).scopes == {
        Scope.EVENTS_READ,
        Scope.MONEY_READ,
    }


def test_a_relative_sees_whom_our_records_say(provider: RealProvider, service: Service) -> None:
    token, now = provider.log_in("rosa")["access_token"], datetime.now(UTC)
    service.directory.put(
        "alder", f"{provider.issuer}|rosa", [MemberTie("ben", Relation.RELATIVE, now - timedelta(days=1))]
    )
    assert service.caller(token).tied_to(Relation.RELATIVE, now) == {"ben"}
    service.directory.put("alder", f"{provider.issuer}|rosa", [])
    assert service.caller(token).tied_to(Relation.RELATIVE, now) == frozenset()


def test_a_machine_of_the_provider_is_no_person(provider: RealProvider, service: Service) -> None:
    caller = service.caller(provider.machine())
    assert (caller.kind, caller.roles, caller.scopes) == (Kind.MACHINE, {Role.INTEGRATOR}, {Scope.EVENTS_WRITE})


def test_a_provider_speaks_only_for_its_tenants(provider: RealProvider, service: Service) -> None:
    assert service.refused(provider.log_in("mallory")["access_token"]) == "token_untrusted"


def test_an_id_token_is_no_access_token(provider: RealProvider, service: Service) -> None:
    assert service.refused(provider.log_in("carl")["id_token"]) == "token_untrusted"


def test_a_token_ends_when_its_provider_said(provider: RealProvider, service: Service) -> None:
    token, now = provider.log_in("carl")["access_token"], datetime.now(UTC)
    assert service.caller(token, now + timedelta(seconds=290))
    assert service.refused(token, now + timedelta(seconds=335)) == "token_expired"


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "Ed25519"])
def test_each_way_of_signing_is_checked(provider: RealProvider, service: Service, alg: str) -> None:
    provider.sign_with("a", alg)
    token = provider.machine()
    assert read_token(token).algorithm == alg
    assert service.caller(token)


def test_its_keys_change_without_a_lost_call_and_old_ones_end(provider: RealProvider, service: Service) -> None:
    old = provider.machine()
    assert service.caller(old)
    provider.sign_with("both")
    new = provider.machine()
    assert (read_token(old).key_id, read_token(new).key_id) == ("a-ES256", "b-ES256")
    service.seconds = 31
    assert service.caller(new)
    provider.sign_with("b")
    service.seconds = 400
    later = datetime.now(UTC) + timedelta(seconds=1)
    another = Service(provider)
    assert another.refused(old, later) == "token_untrusted"
    assert another.caller(new, later)
    assert service.calls == 2


def test_forged_tokens_do_not_make_us_call_the_provider(provider: RealProvider, service: Service) -> None:
    good = provider.machine()
    head, body, signature = good.split(".")
    assert service.caller(good)
    for number in range(200):
        header = {"alg": "ES256", "kid": f"forged-{number}", "typ": "at+jwt"}
        forged = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
        assert service.refused(f"{forged}.{body}.{signature}") == "token_untrusted"
    assert service.refused(f"{head}.{body[:-2]}AA.{signature}") in ("token_untrusted", "token_malformed")
    assert service.calls == 1


def ask_peer(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        ["node", "peer.mjs"],
        cwd=folder,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(("alg", "curve"), [("ES256", "P-256"), ("EdDSA", "Ed25519"), ("ES384", "P-384")])
def test_another_implementation_signs_for_us_and_checks_what_we_sign(node_folder: Path, alg: str, curve: str) -> None:
    place, now = "https://api.drachm.example", datetime.now(UTC).replace(microsecond=0)
    theirs: Any = OKPKey.generate_key("Ed25519") if alg == "EdDSA" else ECKey.generate_key(curve)
    clients = ClientsInMemory()
    public = {"keys": [{**theirs.as_dict(private=False), "kid": "t"}]}
    rights = (frozenset({Role.INTEGRATOR}), frozenset({"north"}), frozenset({Scope.EVENTS_WRITE}))
    clients.add(Client("ehr", "alder", Environment.LIVE, "ehr", *rights, public, created_at=now, created_by="olga"))
    pairs = {"ES256": ECKey.generate_key("P-256"), "other": OKPKey.generate_key("Ed25519")}
    ours = SigningKeys("ES256" if alg == "ES256" else "other", pairs)
    assertions = Assertions(clients, StatementsInMemory(), frozenset({place}), Environment.LIVE)
    endpoint = TokenEndpoint(place, f"{place}/v1", ours, clients, assertions, secrets.token_bytes)

    end = int(now.timestamp()) + 60
    claims = {"iss": "ehr", "sub": "ehr", "aud": place, "jti": "1", "exp": end, "iat": end - 60}
    header = {"alg": alg, "kid": "t", "typ": "JWT"}
    signed = ask_peer(node_folder, {"sign": claims, "jwk": theirs.as_dict(private=True), "header": header})
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed["token"]}
    answer = endpoint.issue({"grant_type": "client_credentials", **form}, now)

    asked = {"check": answer["access_token"], "jwks": ours.published(), "issuer": place, "audience": f"{place}/v1"}
    checked = ask_peer(node_folder, {**asked, "now": now.isoformat()})
    assert (checked["payload"]["client_id"], checked["payload"]["scope"]) == ("ehr", "events:write")
    assert checked["header"]["alg"] == ("ES256" if alg == "ES256" else "Ed25519")
