//! Sessions: tokens that the data directory's key signs, and what they say of their bearer.
//!
//! A token is a JWT with HS256 and the claims of [`Claims`]. It is good for one site only, until it expires; there is
//! no list of sessions, so a token cannot be taken back but by a new key. Deliberately not here: where a request
//! carries its token.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use domain::{Actor, AuthorId, CommandId, Role, Roles, SiteId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::{LEEWAY_SECS, TOKEN_BYTES_MAX};

/// Who signs. Stands in every token: never change.
const ISSUER: &str = "koe";
/// As long as what the signature is made of.
const KEY_BYTES: usize = 32;
const KEY_HEX_CHARS: usize = KEY_BYTES * 2;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error(
        "the session key file {path} cannot be used: name one with --session-key-file that this user can read \
         (`koe up` makes one in its data directory)"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file does not hold a key.
    #[error(
        "{path} is not a session key: it must hold 64 hexadecimal characters, as `openssl rand -hex 32` prints"
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Always `koe`.
    pub iss: String,
    /// The author's id.
    pub sub: String,
    /// What the author is called; a login with the token makes the name known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The one site that the token is good for.
    pub site: String,
    /// Out of `moderator`, `administrator`, `service`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// When it was signed, in seconds since the Unix epoch.
    pub iat: i64,
    /// When it ends, in seconds since the Unix epoch.
    pub exp: i64,
}

impl Claims {
    /// Claims about an author of a site, good from `now` for `lifetime_secs`.
    pub fn new(
        site: &SiteId,
        author: &AuthorId,
        name: Option<&str>,
        roles: Roles,
        now: i64,
        lifetime_secs: i64,
    ) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            sub: author.to_string(),
            name: name.map(str::to_owned),
            site: site.to_string(),
            roles: roles.iter().map(|role| role_word(role).to_owned()).collect(),
            iat: now,
            exp: now.saturating_add(lifetime_secs),
        }
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Moderator => "moderator",
        Role::Administrator => "administrator",
        Role::Service => "service",
    }
}

fn role_of(word: &str) -> Option<Role> {
    [Role::Moderator, Role::Administrator, Role::Service].into_iter().find(|role| role_word(*role) == word)
}

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who it is, and as what.
    pub actor: Actor,
    /// What they are called, as the token says.
    pub name: Option<String>,
    /// The one site where it is good.
    pub site: SiteId,
    /// When it ends, in seconds since the Unix epoch.
    pub expires: i64,
    /// The id of the command that names the author: the same for the same token, so that a second login with it
    /// records nothing new.
    pub(crate) naming: CommandId,
}

/// The key that signs and verifies tokens.
#[derive(Clone)]
pub struct Key {
    signing: EncodingKey,
    verifying: DecodingKey,
}

// The key stays out of every log line.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// The key in a file.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        from_hex(text.trim())
            .map(|key| Self::from_bytes(&key))
            .ok_or_else(|| Error::NotAKey { path: path.to_owned() })
    }

    /// A new key in a new file that only its owner can read. Fails if the file exists.
    pub fn create_new(path: &Path) -> Result<Self, Error> {
        let made = || {
            let mut key = [0; KEY_BYTES];
            std::fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            for byte in key {
                write!(file, "{byte:02x}")?;
            }
            writeln!(file)?;
            file.sync_all()?;
            Ok(Self::from_bytes(&key))
        };
        made().map_err(|source| Error::File { path: path.to_owned(), source })
    }

    fn from_bytes(key: &[u8; KEY_BYTES]) -> Self {
        Self { signing: EncodingKey::from_secret(key), verifying: DecodingKey::from_secret(key) }
    }

    /// The token that says so.
    pub fn sign(&self, claims: &Claims) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.signing)
            .expect("an HMAC over claims, which are plain JSON, cannot fail")
    }

    /// Who a token speaks for; `None` unless this key signed it and it is good now.
    pub fn verify(&self, token: &str) -> Option<Session> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        // One algorithm, whatever the token's header says.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_aud = false;
        validation.leeway = LEEWAY_SECS;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifying, &validation).ok()?.claims;
        let roles = claims.roles.iter().map(|word| role_of(word)).collect::<Option<Roles>>()?;
        Some(Session {
            actor: Actor { id: claims.sub.parse().ok()?, roles },
            naming: self.naming_id(&claims)?,
            site: claims.site.parse().ok()?,
            name: claims.name,
            expires: claims.exp,
        })
    }

    /// A UUIDv7 of the token's time, whose other bits are a signature over its claims, so that nobody else can guess
    /// or take it.
    fn naming_id(&self, claims: &Claims) -> Option<CommandId> {
        let named = serde_json::to_vec(&("name-author", claims)).ok()?;
        let signature = jsonwebtoken::crypto::sign(&named, &self.signing, Algorithm::HS256).ok()?;
        // Base64: six bits a character, more of them than the 74 that a UUIDv7 has free.
        let bits = signature.bytes().take(21).fold(0_u128, |bits, byte| (bits << 6) ^ u128::from(byte));
        let millis = u128::try_from(claims.iat.checked_mul(1_000)?).ok()? & 0xffff_ffff_ffff;
        let (high, low) = ((bits >> 62) & 0xfff, bits & 0x3fff_ffff_ffff_ffff);
        Some(CommandId::from_u128(millis << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))
    }
}

fn from_hex(text: &str) -> Option<[u8; KEY_BYTES]> {
    if text.len() != KEY_HEX_CHARS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; KEY_BYTES];
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests;
