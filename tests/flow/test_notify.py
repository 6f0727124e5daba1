# SPDX-License-Identifier: Apache-2.0
"""Urgent cases are told by webhook and by e-mail: once each, again if a sink was down or the process died, never with a secret."""
import base64
import json
import os
import signal
import stat

import pytest

from sinks import MailSink, WebhookSink, signature
from stack import shop_mapping

SECRET = "a-notify-secret-of-some-length"
PARTS = {"functions": ("sweep",), "simulators": False, "nginx": False}
ADDRESSES = {"ONEPOOL_NOTIFY_EMAIL": "ops@example.com,boss@example.com", "ONEPOOL_NOTIFY_FROM": "onepool@example.com"}


@pytest.fixture
def hook():
    sink = WebhookSink()
    yield sink
    sink.close()


@pytest.fixture
def mailbox():
    sink = MailSink()
    yield sink
    sink.close()


def by_hook(hook, **more):
    return {"ONEPOOL_NOTIFY_URL": hook.url, "ONEPOOL_NOTIFY_SECRET": SECRET, **more}


def by_mail(mailbox, **more):
    return {**ADDRESSES, "ONEPOOL_SMTP_URL": mailbox.url, **more}


def start(stack, env, **sections):
    one = stack(env=env, mapping=shop_mapping(**sections), **PARTS)
    one.wait_until(lambda: one.redis().scard(one.key("notify:causes")) > 0, 15, "the sweep has said what is urgent")
    return one


def park(one, cause="brake", entity="levels", text="Somebody's text"):
    one.fcall("apply", "case", cause, "operations", entity, text, "The web shop keeps its numbers", "onepool brake", "", "", "")


def batch(one, channel):
    return one.redis().hgetall(one.key(f"notify:batch:{channel}"))


def test_an_urgent_case_reaches_the_webhook_signed_and_without_its_text(stack, hook):
    one = start(stack, by_hook(hook))
    park(one, "unknown_sku", "SKU-1")
    park(one)
    one.wait_until(lambda: hook.got, 10, "the webhook is called")
    one.wait_until(lambda: not batch(one, "webhook"), 10, "it is marked as sent")
    headers, body = hook.got[0]
    message = json.loads(body)
    assert headers["webhook-signature"] == signature(SECRET.encode(), headers, body)
    assert message["id"] == headers["webhook-id"] and headers["Content-Type"] == "application/json"
    assert {k: message[k] for k in ("tenant", "case", "entity", "owner", "effect", "step", "count", "more", "left_out")} == {
        "tenant": "default", "case": "brake", "entity": "levels", "owner": "operations", "count": 1, "more": [], "left_out": 0,
        "effect": "The web shop keeps its numbers", "step": "onepool brake"}
    assert message["first_ms"] > 0 and "brake: levels" in message["text"]
    assert b"Somebody" not in body
    park(one)
    park(one, "unknown_sku", "SKU-2")
    assert one.counter("notify:sent:webhook") == 1 and len(hook.got) == 1


def test_a_key_written_as_the_specification_writes_it(stack, hook):
    key = bytes(range(32))
    one = start(stack, by_hook(hook, ONEPOOL_NOTIFY_SECRET="whsec_" + base64.b64encode(key).decode()))
    park(one)
    one.wait_until(lambda: hook.got, 10, "the webhook is called")
    assert hook.got[0][0]["webhook-signature"] == signature(key, *hook.got[0])


def test_a_sink_that_is_down_gets_it_when_it_is_up_and_holds_nothing_up(stack, hook, mailbox):
    hook.status = 500
    one = start(stack, {**by_hook(hook), **by_mail(mailbox)})
    park(one)
    one.wait_until(lambda: len(hook.got) >= 2, 30, "it is tried again")
    one.wait_until(lambda: mailbox.got, 10, "the other channel is not held up")
    state = {row["channel"]: row for row in json.loads(one.command("status", "--json")[1])["notify"]}
    assert state["webhook"]["why"] == "ONEPOOL_NOTIFY_URL answered 500" and state["webhook"]["failing_since_ms"] > 0
    assert state["email"]["failing_since_ms"] is None
    assert one.command("notify")[0] == 1
    assert "Nobody is told of urgent cases by webhook: ONEPOOL_NOTIFY_URL answered 500" in one.command("status")[1]
    hook.status = 204
    one.wait_until(lambda: one.counter("notify:sent:webhook") == 1, 40, "it is through")
    assert len(set(hook.ids())) == 1, "the same id each time"
    assert len({body for _, body in hook.got}) == 1
    assert len(mailbox.got) == 1, "and nobody gets the mail twice"
    assert one.command("notify")[0] == 0


def test_a_sink_that_takes_only_small_messages_gets_all_of_them(stack, hook):
    hook.largest = 8000
    one = start(stack, by_hook(hook))
    one.redis().hset(one.key("notify:state"), "webhook:ok", one.redis().time()[0] * 1000)  # all go with one message
    wanted = {("brake", f"level {i}") for i in range(50)}
    for _, entity in sorted(wanted):
        park(one, entity=entity)

    def arrived():
        one.redis().hdel(one.key("notify:state"), "webhook:ok")  # no minute between two messages
        one.fcall("apply", "mark", "notify", "webhook", "0", "", "")
        return wanted <= {c for named in hook.taken_cases() for c in named}
    one.wait_until(arrived, 60, "all are told")
    assert max(len(body) for _, body in hook.got) > 8000, "the first was too large"
    assert one.counter("notify:undeliverable:webhook") == 0
    park(one, entity="one more")
    wanted.add(("brake", "one more"))
    one.wait_until(arrived, 30, "and what comes later")


def test_killed_between_sending_and_marking_it_is_sent_again_with_the_same_id(stack, hook):
    hook.held.clear()
    one = start(stack, by_hook(hook))
    park(one)
    assert hook.arrived.wait(15)
    for pid in one.children("sweep"):
        one.kill_child("sweep", signal.SIGKILL, pid)
    hook.held.set()
    one.wait_until(lambda: one.counter("notify:sent:webhook") == 1, 45, "it is through")
    assert len(hook.got) == 2 and len(set(hook.ids())) == 1
    assert hook.got[0][1] == hook.got[1][1]


def test_the_mapping_says_which_cases_are_urgent(stack, hook):
    one = start(stack, by_hook(hook), notify={"causes": ["unknown_sku"]})
    park(one)
    park(one, "unknown_sku", "SKU-1")
    one.wait_until(lambda: hook.got, 10, "the webhook is called")
    assert hook.cases() == [[("unknown_sku", "SKU-1")]]


def test_a_mail_by_smtp(stack, mailbox):
    one = start(stack, by_mail(mailbox))
    park(one, "bad_web_order", "order 1 Å\x07")
    one.wait_until(lambda: mailbox.got, 15, "the mail arrives")
    sender, recipients, _ = mailbox.got[0]
    mail = mailbox.mails()[0]
    assert (sender, recipients) == ("onepool@example.com", ["ops@example.com", "boss@example.com"])
    assert mail["Subject"] == "[onepool default] bad_web_order: order 1 ???"
    assert mail["To"] == "ops@example.com, boss@example.com" and mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@onepool>") and mail["Date"].endswith("+0000")
    body = mail.get_content()
    assert "bad_web_order: order 1 Å? (for operations, since " in body and "   Next: onepool brake" in body
    assert "Somebody" not in body


def test_a_mail_server_that_refuses_is_tried_again_with_the_same_message_id(stack, mailbox):
    mailbox.refuse = "451 come back later"
    one = start(stack, by_mail(mailbox))
    park(one)
    one.wait_until(lambda: one.counter("notify:failed:email") == 1, 15, "it failed")
    mailbox.refuse = None
    before = batch(one, "email")["id"]
    one.wait_until(lambda: mailbox.got, 20, "the mail arrives")
    assert mailbox.mails()[0]["Message-ID"] == f"<{before}@onepool>"


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_mail_server_with_a_login_gets_it_and_a_wrong_one_is_told_without_the_password(stack):
    sink = MailSink(login=("onepool", "smtp-password-1"))
    try:
        env = by_mail(sink, ONEPOOL_SMTP_USER="onepool", ONEPOOL_SMTP_PASSWORD="smtp-password-1")
        one = start(stack, env)
        park(one)
        one.wait_until(lambda: sink.got, 15, "the mail arrives")
        one.env_overrides["ONEPOOL_SMTP_PASSWORD"] = "smtp-password-2"
        status, out, err = one.command("notify", "--test")
        assert status == 1 and "email    FAIL SMTP:" in out and "smtp-password" not in out + err + one.logs("sweep")
    finally:
        sink.close()


def test_a_mail_server_elsewhere_is_not_spoken_to_in_the_clear(stack):
    """By its name this machine is no loopback to us, so TLS is demanded, which this server has not."""
    sink = MailSink(host="0.0.0.0")
    try:
        elsewhere = sink.url.replace("127.0.0.1", os.uname().nodename)
        one = stack(functions=(), env=by_mail(sink, ONEPOOL_SMTP_URL=elsewhere), simulators=False, nginx=False, mapping=shop_mapping())
        status, out, _ = one.command("notify", "--test")
        assert status == 1 and "email    FAIL SMTP: STARTTLS" in out, out
        assert sink.got == []
        one.env_overrides["ONEPOOL_ALLOW_HTTP"] = "1"
        assert one.command("notify", "--test")[0] == 0 and len(sink.got) == 1
    finally:
        sink.close()


def fake_sendmail(folder, ending):
    program = folder / "sendmail"
    program.write_text(f"#!/bin/sh\nenv >{folder}/env\necho \"$@\" >{folder}/arguments\n{ending}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_a_mail_by_sendmail_without_a_shell_and_without_our_environment(stack, tmp_path):
    program = fake_sendmail(tmp_path, f"cat >{tmp_path}/mail; ls -l /proc/$$/fd >{tmp_path}/files")
    one = start(stack, {**ADDRESSES, "ONEPOOL_SENDMAIL": program})
    park(one, entity="$(id) `id` ; id")
    one.wait_until(lambda: (tmp_path / "files").exists() and one.counter("notify:sent:email") == 1, 15, "the mail is handed over")
    mail = (tmp_path / "mail").read_text(encoding="utf-8")
    assert (tmp_path / "arguments").read_text(encoding="utf-8") == "-t -i\n"
    assert "Subject: [onepool default] brake: $(id) `id` ; id\n" in mail and "\r" not in mail
    assert "PASSWORD" not in (tmp_path / "env").read_text(encoding="utf-8")
    assert "socket:" not in (tmp_path / "files").read_text(encoding="utf-8"), "Redis is not its business"


@pytest.mark.parametrize("ending, why", [("exit 75", "ended with status 75"), ("exec 0<&-; sleep 60", "did not end within 15 s"),
                                         (None, "No such file or directory")])
def test_a_sendmail_that_fails_is_told(stack, tmp_path, ending, why):
    program = fake_sendmail(tmp_path, ending) if ending else tmp_path / "nothing"
    one = stack(env={**ADDRESSES, "ONEPOOL_SENDMAIL": program}, mapping=shop_mapping(), **PARTS)
    status, out, _ = one.command("notify", "--test")
    assert status == 1 and why in out, out


def test_the_command_says_what_happened(stack, hook):
    one = start(stack, by_hook(hook))
    assert one.command("notify") == (0, "webhook  on, no message so far; 0 waiting\nemail    off (ONEPOOL_NOTIFY_EMAIL is not set)\n", "")
    status, out, _ = one.command("notify", "--test", "--json")
    sent = json.loads(out)["sent"]
    assert status == 0 and [(row["channel"], row["ok"]) for row in sent] == [("webhook", True)]
    assert hook.messages()[0]["case"] == "test" and hook.ids() == [sent[0]["id"]]
    hook.status = 404
    assert one.command("notify", "--test")[:2] == (1, "webhook  FAIL ONEPOOL_NOTIFY_URL answered 404\n")
    one.env_overrides.clear()
    assert one.command("notify", "--test")[:2] == (1, "Nobody is told: neither ONEPOOL_NOTIFY_URL nor ONEPOOL_NOTIFY_EMAIL is set.\n")


def test_no_secret_and_no_path_of_the_sink_in_logs_and_redis(stack, hook):
    hook.status = 503
    one = start(stack, by_hook(hook))
    park(one)
    one.wait_until(lambda: one.counter("notify:failed:webhook") > 0, 15, "it failed")
    dump = str([one.redis(decode=False).dump(k) for k in one.redis().keys("*")])
    for secret in (SECRET, "secret-path-1234"):
        assert secret not in one.logs("sweep") and secret not in dump


MISTAKES = [
    ({"ONEPOOL_NOTIFY_URL": "http://example.com/x", "ONEPOOL_NOTIFY_SECRET": SECRET}, "ONEPOOL_NOTIFY_URL: "),
    ({"ONEPOOL_NOTIFY_URL": "https://example.com/x"}, "ONEPOOL_NOTIFY_SECRET: missing"),
    ({"ONEPOOL_NOTIFY_URL": "https://example.com/x", "ONEPOOL_NOTIFY_SECRET": "short"}, "ONEPOOL_NOTIFY_SECRET: must be one line"),
    ({"ONEPOOL_NOTIFY_EMAIL": "ops@example.com"}, "ONEPOOL_NOTIFY_FROM: missing"),
    ({**ADDRESSES, "ONEPOOL_NOTIFY_EMAIL": "ops@example.com, boss@example.com"}, "ONEPOOL_NOTIFY_EMAIL: must be at most 10"),
    ({**ADDRESSES, "ONEPOOL_NOTIFY_EMAIL": "-oQ/tmp@example.com"}, "ONEPOOL_NOTIFY_EMAIL: "),
    ({**ADDRESSES, "ONEPOOL_NOTIFY_EMAIL": ",".join(f"a{i}@example.com" for i in range(11))}, "ONEPOOL_NOTIFY_EMAIL: "),
    ({**ADDRESSES, "ONEPOOL_NOTIFY_FROM": "a@example.com,b@example.com"}, "ONEPOOL_NOTIFY_FROM: must be one address"),
    ({**ADDRESSES, "ONEPOOL_SMTP_URL": "https://example.com"}, "ONEPOOL_SMTP_URL: must be smtp://"),
    ({**ADDRESSES, "ONEPOOL_SMTP_URL": "smtp://me:pass@example.com"}, "ONEPOOL_SMTP_URL: must be smtp://"),
    ({**ADDRESSES, "ONEPOOL_SMTP_USER": "me"}, "ONEPOOL_SMTP_PASSWORD: missing"),
    ({**ADDRESSES, "ONEPOOL_SENDMAIL": "sendmail"}, "ONEPOOL_SENDMAIL: must be the path"),
]


def test_mistakes_in_the_settings_are_named(stack):
    one = stack(functions=(), simulators=False, nginx=False, mapping=shop_mapping())
    for env, wanted in MISTAKES:
        one.env_overrides = env
        status, _, err = one.command("notify")
        assert status == 100 and wanted in err, (env, err)
        assert SECRET not in err


def test_mistakes_in_the_mapping_are_named(stack):
    one = stack(functions=(), simulators=False, nginx=False,
                mapping=shop_mapping(notify={"causes": ["Brake!"], "quiet_minutes": -1, "cause": 1},
                                     silence={"enabled": "yes", "missed_movements": 2}))
    status, _, err = one.command("hooks")
    assert status == 100
    for wanted in ("notify.causes[0]: must be the cause", "notify.quiet_minutes: must be a whole number from 0 to 10080",
                   "notify.cause: ", "silence.enabled: must be true or false", "silence.missed_movements: must be"):
        assert wanted in err, err
