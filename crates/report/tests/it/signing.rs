//! Signatures, checked by somebody else's program.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use report::{
    Message, render,
    signing::{Signing, SigningError},
};

use crate::{fixture::normal_night, mail::envelope};

/// Verifies the mail on standard input with the public key (DER) of the first argument; prints True or False.
const VERIFY: &str = r#"
import base64, sys, dkim
key = open(sys.argv[1], "rb").read()
kind = sys.argv[2]
# Of an Ed25519 key the DNS holds the last 32 bytes alone.
public = base64.b64encode(key[-32:] if kind == "ed25519" else key).decode()
record = ("v=DKIM1; k=" + kind + "; p=" + public).encode()
asked = []
def dns(name, timeout=5):
    asked.append(name)
    return record
found = dkim.verify(sys.stdin.buffer.read(), dnsfunc=dns)
print(found, asked[0].decode().rstrip("."))
"#;

#[expect(clippy::disallowed_methods, reason = "tests decide here whether a skip is a failure")]
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn skipped(what: &str) {
    let all = std::env::var("EDGE_TEST_ALL").is_ok_and(|value| value == "1");
    assert!(!all, "{what}");
    eprintln!("skipped: {what}; EDGE_TEST_ALL=1 makes this a failure");
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Makes a key with OpenSSL; returns its PEM. The public part lies beside it.
fn new_key(folder: &Path, arguments: &[&str]) -> Option<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    let (private, public) = (file("key.pem"), file("key.der"));
    let made = runs("openssl", &[&["genpkey", "-out", &private], arguments].concat())
        && runs("openssl", &["pkey", "-in", &private, "-pubout", "-outform", "DER", "-out", &public]);
    made.then(|| std::fs::read_to_string(private).unwrap())
}

fn message() -> Message {
    Message::compose(&render(&normal_night()).unwrap(), &envelope("reader@example.org")).unwrap()
}

fn verified(folder: &Path, kind: &str, eml: &[u8]) -> String {
    let key = folder.join("key.der").display().to_string();
    let child = Command::new("python3")
        .args(["-c", VERIFY, &key, kind])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    child.stdin.take().unwrap().write_all(eml).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

#[test]
fn another_program_finds_the_signature_good_and_every_change_bad() {
    if !runs("python3", &["-c", "import dkim, nacl"]) {
        return skipped("python3 has no dkimpy: pip install dkimpy pynacl");
    }
    let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    for (kind, arguments) in [("rsa", &rsa[..]), ("ed25519", &rsa[..0])] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = if kind == "rsa" { arguments } else { &["-algorithm", "ED25519"] };
        let Some(pem) = new_key(folder.path(), arguments) else { return skipped("there is no openssl") };
        let signing = Signing::new("edge", "example.org", &pem).unwrap();
        let signed = message().signed(&signing).unwrap();
        assert_eq!(
            verified(folder.path(), kind, &signed.eml()),
            "True edge._domainkey.example.org",
            "{kind}"
        );
        assert_eq!(signed.eml(), message().signed(&signing).unwrap().eml(), "a repeat is the same mail");
        assert_eq!(signed.message_id(), message().message_id());
        let text = String::from_utf8(signed.eml()).unwrap();
        for (good, bad) in
            [("3 edges", "9 edges"), ("08:00:00", "09:00:00"), ("DAILY", "daily"), ("PICKS", "PINKS")]
        {
            let changed = text.replacen(good, bad, 1);
            if changed != text {
                assert!(
                    verified(folder.path(), kind, changed.as_bytes()).starts_with("False"),
                    "{kind}: {bad}"
                );
            }
        }
        // A server on the way may fold anew and add white space at the ends of lines.
        let refolded = text.replacen("Subject: ", "Subject:\r\n   ", 1).replacen(
            "MIME-Version: 1.0",
            "MIME-Version:  1.0 ",
            1,
        );
        assert!(verified(folder.path(), kind, refolded.as_bytes()).starts_with("True"), "{kind}");
        let shown = format!("{signing:?}");
        assert_eq!(shown, "Signing(\"edge._domainkey.example.org\")");
    }
}

#[test]
fn a_short_key_and_a_name_of_ones_own_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let weak = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"];
    let Some(pem) = new_key(folder.path(), &weak) else { return skipped("there is no openssl") };
    let error = Signing::new("edge", "example.org", &pem).unwrap_err();
    assert!(matches!(error, SigningError::Key(reason) if reason.contains("2048")), "{error}");
    assert!(pem.lines().all(|line| !format!("{error} {error:?}").contains(line)), "{error}");
}
