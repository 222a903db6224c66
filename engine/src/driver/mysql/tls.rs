//! How a connection is encrypted and how far the server's certificate is checked, as MySQL's own programs do it.

use mysql_async::SslOpts;

use super::target::usage;
use crate::error::Error;

/// How much encryption is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// None.
    Disabled,
    /// Where the server has it; the certificate is not checked.
    Preferred,
    /// Always; the certificate is not checked.
    Required,
    /// Always, with a certificate that an authority has signed.
    VerifyCa,
    /// Always, with such a certificate in the host's name.
    VerifyIdentity,
}

/// Encryption, and whom to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trust {
    mode: Mode,
    authorities: Option<String>,
}

impl Trust {
    /// From `ssl-mode` and `ssl-ca` (a file); a file without a mode asks for a certificate signed by it.
    pub(super) fn of(mode: Option<&str>, authorities: Option<String>) -> Result<Self, Error> {
        let written = mode.map(|text| text.to_ascii_lowercase().replace('_', "-"));
        let mode = match (written.as_deref(), &authorities) {
            (None, None) | (Some("preferred"), None) => Mode::Preferred,
            (Some("disabled"), None) => Mode::Disabled,
            (Some("required"), None) => Mode::Required,
            (None | Some("required"), Some(_)) | (Some("verify-ca"), _) => Mode::VerifyCa,
            (Some("verify-identity"), _) => Mode::VerifyIdentity,
            (Some(idle @ ("preferred" | "disabled")), Some(_)) => {
                return Err(usage(format!("ssl-mode={idle} checks no certificate, so ssl-ca has no use")));
            }
            (Some(other), _) => {
                return Err(usage(format!(
                    "ssl-mode={other} is unknown; it is one of disabled, preferred, required, verify-ca, verify-identity"
                )));
            }
        };
        Ok(Self { mode, authorities })
    }

    /// Whether a server without encryption is taken as well.
    pub(super) fn takes_plain(&self) -> bool {
        self.mode == Mode::Preferred
    }

    /// Whether a connection without encryption breaks what was asked for.
    pub(super) fn is_demanded(&self) -> bool {
        !matches!(self.mode, Mode::Disabled | Mode::Preferred)
    }

    /// The driver's options; none where encryption is never tried.
    ///
    /// # Errors
    /// [`Error::Usage`] where the authorities' certificates cannot be read.
    pub(super) fn options(&self) -> Result<Option<SslOpts>, Error> {
        let options = SslOpts::default();
        Ok(match self.mode {
            Mode::Disabled => None,
            Mode::Preferred | Mode::Required => Some(options.with_danger_accept_invalid_certs(true)),
            // The driver's 0.37.1 checks the name all the same: more than was asked for, so an error and never a risk.
            Mode::VerifyCa => Some(self.checked(options)?.with_danger_skip_domain_validation(true)),
            Mode::VerifyIdentity => Some(self.checked(options)?),
        })
    }

    fn checked(&self, options: SslOpts) -> Result<SslOpts, Error> {
        let certificates = match &self.authorities {
            Some(path) => {
                let read = std::fs::read(path);
                vec![read.map_err(|error| usage(format!("ssl-ca {path} cannot be read: {error}")))?]
            }
            None => rustls_native_certs::load_native_certs().certs.into_iter().map(|found| found.to_vec()).collect(),
        };
        if certificates.iter().all(Vec::is_empty) {
            return Err(usage("no certificate of an authority was found to check the server's against".to_owned()));
        }
        let certificates = certificates.into_iter().map(Into::into).collect();
        Ok(options.with_root_certs(certificates).with_disable_built_in_roots(true))
    }
}
