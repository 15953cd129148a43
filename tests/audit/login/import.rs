//! `authspec login import`, which needs no browser.

use std::process::Command;

fn import(recording: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.json");
    std::fs::write(&path, recording).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_authspec"));
    let output = command.args(["login", "import"]).arg(&path).output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_recording_is_printed_as_steps_without_what_was_typed() {
    let recording = r##"{"steps":[{"type":"navigate","url":"https://as.test/authorize?state=x"},
        {"type":"change","value":"hunter2","selectors":[["#password"]]}]}"##;
    let (code, steps, _) = import(recording);
    assert_eq!(code, 0);
    assert!(steps.contains("fill = \"#password\"\nwith = \"{password}\""), "{steps}");
    assert!(!steps.contains("hunter2"));
}

#[test]
fn what_is_no_recording_is_a_mistake_of_usage() {
    let (code, _, complaint) = import("{\"steps\": \"hunter2\"}");
    assert_eq!(code, 2);
    assert!(complaint.contains("no recording") && !complaint.contains("hunter2"), "{complaint}");
}
