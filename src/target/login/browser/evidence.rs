//! What shows why a login failed: a picture of the page and its source, without values and secrets.

use std::fs::{File, OpenOptions, create_dir_all};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::tab::Tab;
use crate::http::cookies::CookieJar;
use crate::model::redact::Redactor;
use crate::target::login::User;
use crate::target::login::driver::Driver;

/// Pictures of one folder.
const MOST: usize = 1000;

impl Driver<'_> {
    /// Keeps picture and source of the page in the folder. The text says where, or why not.
    pub(super) async fn keep(
        &self,
        tab: &mut Tab<'_>,
        folder: &Path,
        jar: &CookieJar,
        user: &User,
    ) -> Result<String, String> {
        let source = tab.ask("source()").await?.as_str().unwrap_or_default().to_owned();
        tab.ask("blank()").await?;
        let picture = tab.call("Page.captureScreenshot", json!({ "format": "png" })).await?;
        let picture = STANDARD.decode(picture["data"].as_str().unwrap_or_default());
        let picture = picture.map_err(|e| format!("the picture does not decode: {e}"))?;
        let redactor = self.redactor(jar, user);
        let source = redactor.redact(&source);
        redactor.canary().scan(source.as_bytes()).map_err(|leak| leak.to_string())?;
        write(folder, &picture, &source).map_err(|e| format!("{}: {e}", folder.display()))
    }

    fn redactor(&self, jar: &CookieJar, user: &User) -> Redactor {
        let mut redactor = Redactor::new();
        redactor.learn_password(user.password.expose());
        for (kind, secret) in self.memory.secrets() {
            redactor.learn(kind, &secret);
        }
        jar.export().for_each(|cookie| redactor.learn("cookie", &cookie.value));
        self.recorder.exchanges().iter().for_each(|exchange| redactor.learn_from(exchange));
        redactor.seal();
        redactor
    }
}

/// Writes both under the first number that is free.
fn write(folder: &Path, picture: &[u8], source: &str) -> io::Result<String> {
    create_dir_all(folder)?;
    let (mut file, path) = free(folder)?;
    file.write_all(picture)?;
    let page = path.with_extension("html");
    std::fs::write(&page, source)?;
    Ok(format!("{} and {}", path.display(), page.display()))
}

fn free(folder: &Path) -> io::Result<(File, PathBuf)> {
    for number in 1..=MOST {
        let path = folder.join(format!("login-{number}.png"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map(|file| (file, path)),
        }
    }
    Err(io::Error::other(format!("{MOST} pictures are there already")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_picture_replaces_another() {
        let folder = tempfile::tempdir().unwrap();
        let login = folder.path().join("login");
        assert!(write(&login, b"1", "a").unwrap().ends_with("login-1.html"));
        assert!(write(&login, b"2", "b").unwrap().contains("login-2.png"));
        assert_eq!(std::fs::read(login.join("login-1.png")).unwrap(), b"1");
    }
}
