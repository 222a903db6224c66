//! TLS with certificate checks as libpq does them.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::target::usage;
use crate::error::Error;

/// How far a server's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// Not at all (`prefer`, and `require` without a root certificate).
    Nothing,
    /// The chain (`verify-ca`, and `require` with a root certificate).
    Chain,
    /// The chain and the host's name (`verify-full`).
    ChainAndName,
}

/// Whom to trust.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    check: Check,
    roots: Option<String>,
}

impl Trust {
    /// From libpq's `sslmode` and `sslrootcert` (a file, or `system`).
    pub(super) fn of(mode: &str, roots: Option<String>) -> Result<(SslMode, Self), Error> {
        let (ssl, check) = match (mode, &roots) {
            ("disable", _) => (SslMode::Disable, Check::Nothing),
            ("allow" | "prefer", _) => (SslMode::Prefer, Check::Nothing),
            ("require", None) => (SslMode::Require, Check::Nothing),
            ("require", Some(_)) | ("verify-ca", _) => (SslMode::Require, Check::Chain),
            ("verify-full", _) => (SslMode::Require, Check::ChainAndName),
            (other, _) => {
                return Err(usage(format!(
                    "sslmode={other} is unknown; it is one of disable, allow, prefer, require, verify-ca, verify-full"
                )));
            }
        };
        Ok((ssl, Self { check, roots }))
    }

    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| usage(format!("TLS cannot be set up: {error}")))?;
        let config = match self.check {
            Check::ChainAndName => builder.with_root_certificates(self.store()?).with_no_client_auth(),
            Check::Nothing | Check::Chain => {
                let chain = match self.check {
                    Check::Chain => Some(
                        WebPkiServerVerifier::builder_with_provider(Arc::new(self.store()?), provider.clone())
                            .build()
                            .map_err(|error| usage(format!("the root certificates cannot be used: {error}")))?,
                    ),
                    _ => None,
                };
                let verifier = Arc::new(Nameless { chain, provider });
                builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
            }
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn store(&self) -> Result<RootCertStore, Error> {
        let mut store = RootCertStore::empty();
        match self.roots.as_deref() {
            None | Some("system") => {
                for certificate in rustls_native_certs::load_native_certs().certs {
                    store.add_parsable_certificates([certificate]);
                }
            }
            Some(path) => {
                let unreadable =
                    |error: &dyn std::fmt::Display| usage(format!("sslrootcert {path} cannot be read: {error}"));
                for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
                    store.add(certificate.map_err(|error| unreadable(&error))?).map_err(|error| unreadable(&error))?;
                }
            }
        }
        if store.is_empty() {
            return Err(usage("no root certificate was found to check the server's against".to_owned()));
        }
        Ok(store)
    }
}

/// Checks the chain, or nothing, but never the name: `verify-ca` and `require`.
#[derive(Debug)]
struct Nameless {
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Nameless {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The chain is checked before the name: an error about the name means that the chain is good.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => {
                debug_assert!(
                    ParsedCertificate::try_from(end_entity).is_ok_and(|parsed| verify_server_name(
                        &parsed,
                        server_name
                    )
                    .is_err())
                );
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
