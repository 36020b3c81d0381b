//! What can go wrong with a store.

use thiserror::Error;

/// What can go wrong with a store.
#[derive(Debug, Error)]
pub enum Error {
    /// The disk or sled refuses. The store may be moved aside and folded again.
    #[error("the store cannot be read or written")]
    Sled(#[from] sled::Error),
    /// A stored value is not what was written. The store is moved aside and folded again.
    #[error("a stored value is damaged: {0}")]
    Damaged(&'static str),
    /// The store was written by another schema: it is folded again beside.
    #[error("the store has schema {found}, this release reads {}", crate::SCHEMA)]
    OtherSchema {
        /// The schema that wrote it.
        found: u32,
    },
    /// Another process has the store open.
    #[error("another process has the store open")]
    InUse,
}

impl Error {
    /// Whether the disk takes nothing more for now, and what is stored is sound.
    pub fn is_of_the_disk(&self) -> bool {
        use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match self {
            Self::Sled(sled::Error::Io(error)) => {
                matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem | PermissionDenied)
            }
            Self::Sled(_) | Self::Damaged(_) | Self::OtherSchema { .. } | Self::InUse => false,
        }
    }
}
