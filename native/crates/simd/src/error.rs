//! A failure as users see it: a stable code, a message and details as `key=value` pairs.

use std::fmt;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    pub code: &'static str,
    pub message: String,
    /// Numbers a caller can branch on, e.g. `("row", 12.0)`.
    pub details: Vec<(&'static str, f64)>,
}

impl Error {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }

    pub fn with(mut self, key: &'static str, value: f64) -> Self {
        self.details.push((key, value));
        self
    }

    /// What a kernel returns when `Job::cancel` was called; the caller throws its own abort reason instead.
    pub fn cancelled() -> Self {
        Self::new("CANCELLED", "the call was cancelled")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}
