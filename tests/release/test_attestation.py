"""Attestations: what a signature covers, and that the gate blocks a run that is not the attested one."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from google.protobuf import json_format
from in_toto_attestation.v1.statement import Statement as Protobuf
from in_toto_attestation.v1.statement_pb2 import Statement as Message
from securesystemslib.dsse import Envelope
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.core.files import file_digest
from audit.release import Policy
from audit.release.attestation.attesting import verify
from audit.release.attestation.envelope import Attestation, NotAttestedError, sign, verified
from audit.release.attestation.keys import private_key
from audit.release.attestation.signers import signer
from audit.release.attestation.statement import RUN, state_run
from audit.release.attestation.verifying import ATTESTATION, attestation_ruling
from audit.release.gate import audit_anew
from tests.key_fixture import Keys, new_keys
from tests.release_fixture import ALLOW, compared

__all__ = ["compared"]

TRUTH: dict[str, Any] = {"groups": ["asian", "white"], "speakers_per_group": 15, "languages": ["en", "zh"]} | {
    "rendered": {"asian": {"en": {"white": 0.3}}}
}
RULES = '[[rule]]\nid = "white"\ncheck = "S2F001"\nlimit = 0.9\nmin_speakers = 5\n'
POLICY = Policy.parse(f'schema = 1\nname = "p"\n{ALLOW}{RULES}', "policy.toml")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return new_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def attested(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """A measured run with its attestation; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "attested"
    audit.measure(audit.simulate(TRUTH, out=folder), with_tables=False).write(folder)
    audit.attest(folder, key=keys.private).write(folder / "attestation.json")
    return folder


@pytest.fixture(scope="module")
def anew(attested: Path) -> tuple[audit.Run, audit.Audit]:
    """The run, and its new measurement."""
    return audit_anew(attested)


@pytest.fixture
def copied(attested: Path, tmp_path: Path) -> Path:
    """Its copy, to be changed."""
    return Path(shutil.copytree(attested, tmp_path / "run"))


def gated(run: Path | audit.Run | audit.Audit, keys: Keys, **options: Any) -> tuple[int, str]:
    """The exit code, and the sentence of the ruling on the attestation."""
    decision = audit.gate(run, policy=POLICY, require_attestation=keys.public, **options)
    (ruling,) = (ruling for ruling in decision.rulings if ruling.id == ATTESTATION)
    assert (ruling.outcome == "incomplete") == (decision.exit_code == 13)
    return decision.exit_code, ruling.sentence


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def payload_of(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_text(encoding="utf-8"))
    statement: dict[str, Any] = json.loads(base64.b64decode(document["payload"]))
    return statement


def rewritten(folder: Path) -> None:
    """Replace every rendered race by the portrait's, with new digests and a new audit.json, but without the key."""
    (part,) = (folder / "observations").iterdir()
    table = pq.read_table(part)
    place = table.schema.get_field_index("rendered_race")
    values = pc.if_else(pa.array([True] * len(table)), table["group"], table["rendered_race"])
    pq.write_table(
        table.set_column(place, table.schema.field(place), values.cast(table.schema.field(place).type)), part
    )
    edit(folder / "manifest.json", lambda manifest: manifest["parts"].update({part.name: file_digest(part)}))
    (folder / "audit.json").unlink()
    audit.measure(folder, with_tables=False).write(folder)


# Signing and verifying


def test_it_is_a_statement_of_in_toto(attested: Path) -> None:
    """As the protobuf classes of in-toto-attestation read it."""
    statement = payload_of(attested / "attestation.json")
    message = json_format.Parse(json.dumps(statement), Message())
    Protobuf.copy_from_pb(message).validate()
    assert message.type == "https://in-toto.io/Statement/v1" and message.predicate_type == RUN
    assert message.subject[0].digest["sha256"] == audit.Run.read(attested).digest
    materials = {item["name"]: item for item in statement["predicate"]["materials"]}
    assert list(materials) == ["model", "cohort", "instrument", "plan", "code"]
    assert materials["model"]["annotations"] == {"name": "simulated", "kind": "simulated"}


def test_the_digest_of_the_findings_does_not_depend_on_the_policy(attested: Path, keys: Keys) -> None:
    more = Policy.parse(
        f'schema = 1\nname = "p"\n{ALLOW}{RULES}[[rule]]\nid = "by"\ncheck = "S2F006"\nlimit = 0.9\nby = "gender"\n'
    )
    decision = audit.gate(attested, policy=more, require_attestation=keys.public)
    assert next(ruling for ruling in decision.rulings if ruling.id == ATTESTATION).outcome == "pass"


def changed_byte(document: dict[str, Any], place: int) -> None:
    payload = bytearray(base64.b64decode(document["payload"]))
    payload[place] ^= 1
    document["payload"] = base64.b64encode(payload).decode()


def test_every_changed_byte_of_the_payload_is_refused(attested: Path, keys: Keys) -> None:
    text, trusted = (attested / "attestation.json").read_text(), signer(keys.public)
    for place in range(len(base64.b64decode(json.loads(text)["payload"]))):
        document = json.loads(text)
        changed_byte(document, place)
        with pytest.raises(NotAttestedError, match="its signature is not by the key release.pub"):
            verified(json.dumps(document), trusted)


def test_a_changed_attestation_blocks(copied: Path, keys: Keys) -> None:
    edit(copied / "attestation.json", lambda document: changed_byte(document, 200))
    code, sentence = gated(copied, keys)
    assert code == 13 and "its signature is not by the key release.pub" in sentence
    (copied / "attestation.json").unlink()
    assert gated(copied, keys) == (13, "The run is not attested: there is no attestation attestation.json.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda document: document["signatures"].clear(), "its signature is not by"),
        (lambda document: document["signatures"][0].update(sig="AAAA"), "its signature is not by"),
        (lambda document: document["signatures"][0].update(sig=7), "it is not a DSSE envelope"),
        (lambda document: document.update(payloadType="text/plain"), "its signature is not by"),
        (lambda document: document.pop("payload"), "it is not a DSSE envelope"),
        (lambda document: document.update(signatures=3), "it is not a DSSE envelope"),
        (lambda document: document.update(mediaType="application/vnd.dev.sigstore.bundle.v0.3+json"), "by Sigstore"),
    ],
)
def test_a_changed_envelope_is_refused(attested: Path, keys: Keys, change: Callable[[Any], object], words: str) -> None:
    document = json.loads((attested / "attestation.json").read_text())
    change(document)
    with pytest.raises(NotAttestedError, match=words):
        verified(json.dumps(document), signer(keys.public))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"payload": "AA"}'])
def test_what_is_no_attestation_is_refused(keys: Keys, text: str) -> None:
    with pytest.raises(NotAttestedError):
        verified(text, signer(keys.public))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"{}", "its predicateType is None"),
        (b"[]", "its predicateType is None"),
        (b'{"predicateType": "https://slsa.dev/provenance/v1"}', "slsa.dev"),
        (f'{{"predicateType": "{RUN}"}}'.encode(), "its statement is not valid"),
    ],
)
def test_a_signed_statement_of_another_kind_is_refused(keys: Keys, payload: bytes, words: str) -> None:
    envelope = Envelope(payload, "application/vnd.in-toto+json", {})
    envelope.sign(private_key(keys.private))
    with pytest.raises(NotAttestedError, match=words):
        verified(json.dumps(envelope.to_dict()), signer(keys.public))
    envelope = Envelope(payload, "text/plain", {})
    envelope.sign(private_key(keys.private))
    with pytest.raises(NotAttestedError, match="its payload is 'text/plain'"):
        verified(json.dumps(envelope.to_dict()), signer(keys.public))


def test_the_attestation_of_another_run_is_refused(
    anew: tuple[audit.Run, audit.Audit], keys: Keys, tmp_path: Path
) -> None:
    run, published = anew
    other = state_run(run, replace(published, run={**published.run, "digest": "0" * 64}))
    path = sign(other, private_key(keys.private)).write(tmp_path / "other.json")
    ruling = attestation_ruling([signer(keys.public)], path, run, published)
    assert ruling.outcome == "incomplete"
    assert ruling.sentence == (
        f"The run is not attested: the attested run has the digest 000000000000, and this one {run.digest[:12]}."
    )


def test_a_run_in_memory_needs_the_file(attested: Path, anew: tuple[audit.Run, audit.Audit], keys: Keys) -> None:
    run, published = replace(anew[0], folder=None), anew[1]
    trusted = [signer(keys.public)]
    assert "no attestation was given" in attestation_ruling(trusted, None, run, published).sentence
    assert attestation_ruling(trusted, attested / "attestation.json", run, published).outcome == "pass"


# A run that was changed after it was attested


def test_a_rewritten_run_passes_without_an_attestation_and_is_blocked_with_one(copied: Path, keys: Keys) -> None:
    rewritten(copied)
    assert audit.gate(copied, policy=POLICY).exit_code == 0
    code, sentence = gated(copied, keys)
    assert code == 13
    assert "the attested run has the digest" in sentence and "the attested findings have the digest" in sentence


def test_what_the_digest_of_a_run_does_not_cover_is_attested(copied: Path, keys: Keys) -> None:
    (copied / "audit.json").unlink()
    changed = {
        "code": {"version": "9", "commit": None, "dirty": False},
        "finished": "2020-01-01T00:00:00+00:00",
        "plan": "title = 'x'\n",
        "content": {"sha256": "0" * 64, "n_files": 1},
    }
    edit(copied / "manifest.json", lambda manifest: manifest.update(changed))
    assert audit.gate(copied, policy=POLICY).exit_code == 0
    code, sentence = gated(copied, keys)
    assert code == 13 and "digest" not in sentence
    for words in ("attested code is", "attested plan is", "attested cohort content is none", "run finished at None"):
        assert words in sentence


def test_a_run_that_was_measured_with_other_settings_is_blocked(copied: Path, keys: Keys) -> None:
    (copied / "audit.json").unlink()
    audit.measure(copied, seed=7, with_tables=False).write(copied)
    code, sentence = gated(copied, keys)
    assert code == 13 and "measured with seed 0, and these with 7" in sentence


def test_the_baseline_is_attested(
    attested: Path, anew: tuple[audit.Run, audit.Audit], tmp_path: Path, keys: Keys, compared: None
) -> None:
    run, published = anew
    before = audit.simulate(TRUTH | {"rendered": {}})
    path = sign(state_run(*anew, audit_anew(before)[1].run), private_key(keys.private)).write(tmp_path / "a.json")
    assert gated(attested, keys, attestation=path, baseline=before)[0] == 0
    trusted = [signer(keys.public)]
    assert attestation_ruling(trusted, path, run, published).outcome == "pass"  # nothing is compared with it
    other = attestation_ruling(trusted, path, run, published, {"digest": "0" * 64})
    assert "the attested baseline is" in other.sentence
    unnamed = attestation_ruling(
        trusted, attested / "attestation.json", run, published, before.manifest | {"digest": "1"}
    )
    assert (unnamed.outcome, "the attested baseline is none" in unnamed.sentence) == ("incomplete", True)


# What is refused before anything is signed


def test_an_incomplete_run_is_not_attested(copied: Path, keys: Keys) -> None:
    (copied / "audit.json").unlink()
    edit(copied / "manifest.json", lambda manifest: manifest.update(status="running"))
    with pytest.raises(audit.RunError, match="The run is incomplete: 60 of 60 clips"):
        audit.attest(copied, key=keys.private)


def test_a_run_without_parts_is_not_attested(copied: Path, keys: Keys) -> None:
    shutil.rmtree(copied / "observations")
    with pytest.raises(audit.RunError, match="incomplete: 0 of 60"):
        audit.attest(copied, key=keys.private)


def test_a_changed_part_or_audit_is_not_attested(copied: Path, keys: Keys) -> None:
    edit(copied / "manifest.json", lambda manifest: manifest.update(seed=5))
    with pytest.raises(audit.RunError, match=r"audit\.json was changed"):
        audit.attest(copied, key=keys.private)
    (part,) = (copied / "observations").iterdir()
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(audit.RunError, match="was changed after the run"):
        audit.attest(copied, key=keys.private)


def test_a_clock_before_the_end_of_the_run_is_refused(copied: Path, keys: Keys) -> None:
    edit(copied / "manifest.json", lambda manifest: manifest.update(finished="2999-01-01T00:00:00+00:00"))
    with pytest.raises(audit.RunError, match="The run finished at 2999"):
        audit.attest(copied, key=keys.private)


def test_a_run_is_signed_by_a_key_or_by_sigstore(attested: Path, keys: Keys) -> None:
    for given in ({}, {"key": keys.private, "sigstore": True}):
        with pytest.raises(audit.PlanError, match="by a key or by Sigstore"):
            audit.attest(attested, **given)  # type: ignore[arg-type]


# The policy, decisions and the command


def test_a_policy_names_a_signer_relative_to_its_folder(attested: Path, keys: Keys, tmp_path: Path) -> None:
    path = keys.public.parent / "policy.toml"
    path.write_text(f'schema = 1\nname = "p"\n{ALLOW}{RULES}[data]\nattestation = "release.pub"\n')
    decision = audit.gate(attested, policy=path)
    assert decision.exit_code == 0
    assert {ruling.id: ruling.line for ruling in decision.rulings}[ATTESTATION] == 9
    both = audit.gate(attested, policy=path, require_attestation=new_keys(tmp_path, "other").public)
    assert both.exit_code == 13 and "other.pub" in both.rulings[-2].sentence


def test_an_audit_is_gated_by_its_run(attested: Path, keys: Keys) -> None:
    """So that what is compared with the attestation was measured anew."""
    stored = audit.Audit.read(attested)
    code, sentence = gated(replace(stored, source=audit.Run.read(attested)), keys)
    assert code == 0 and "release.pub" in sentence and "8 findings are the same" in sentence


def test_a_decision_is_attested(attested: Path, keys: Keys, tmp_path: Path) -> None:
    decision = audit.gate(attested, policy=POLICY)
    path = audit.attest(decision, key=keys.private).write(tmp_path / "a.json")
    statement = verify(decision, keys.public, attestation=path)
    assert statement.sha256 == decision.content_sha256
    assert statement.predicate.exit_code == 0  # type: ignore[union-attr]
    edited = replace(decision, decided="1999-01-01")
    with pytest.raises(audit.AuditError, match="the attested decision has the digest"):
        verify(edited, keys.public, attestation=path)
    with pytest.raises(audit.AuditError, match="is of a run and not of a decision"):
        verify(decision, keys.public, attestation=attested / "attestation.json")


def test_the_command_signs_and_verifies(copied: Path, keys: Keys, tmp_path: Path) -> None:
    def does(*arguments: str | Path) -> int:
        return CliRunner().invoke(app, ["attest", *map(str, arguments)]).exit_code

    assert does(copied, "--key", keys.private) == 0
    assert does(copied, "--verify", keys.public) == 0
    audit.gate(copied, policy=POLICY).write(tmp_path)
    assert does(tmp_path / "decision.json", "--key", keys.private) == 0
    assert does(tmp_path / "decision.json", "--verify", keys.public) == 0
    assert does(tmp_path / "decision.json", "--verify", new_keys(tmp_path, "other").public) != 0


def test_a_file_of_the_user_is_not_replaced(attested: Path, keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    made = Attestation(verify(attested, keys.public), (attested / "attestation.json").read_text())
    with pytest.raises(audit.RunError, match="was not written by this tool"):
        made.write(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"
