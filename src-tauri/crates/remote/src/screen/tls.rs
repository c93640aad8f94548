//! TLS to a screen: the certificate is verified against what the system trusts and what is handed in. A VNC server's own
//! certificate can be known by its fingerprint instead.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, ClientConfig, DigitallySignedStruct, SignatureScheme};

use super::BoxStream;
use crate::error::{Error, Result, short};

const WAIT: Duration = Duration::from_secs(20);

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What the system trusts, and the certificates (PEM) that are handed in.
pub(super) fn trusted(authorities: Option<&str>) -> Result<Arc<dyn ServerCertVerifier>> {
    let unusable = |why: &dyn std::fmt::Display| Error::Certificate {
        host: String::new(),
        fingerprint: None,
        why: short(why),
    };
    let extra = authorities.map(|pem| CertificateDer::pem_slice_iter(pem.as_bytes()).collect());
    let extra: Vec<_> = extra
        .unwrap_or(Ok(Vec::new()))
        .map_err(|error| unusable(&error))?;
    let verifier = Verifier::new_with_extra_roots(extra, provider());
    Ok(Arc::new(verifier.map_err(|error| unusable(&error))?))
}

/// Begins TLS on a stream.
pub(super) async fn connect(
    stream: BoxStream,
    host: &str,
    verifier: &Arc<dyn ServerCertVerifier>,
) -> Result<BoxStream> {
    let why = |error: &dyn std::fmt::Display| Error::Certificate {
        host: host.to_owned(),
        fingerprint: None,
        why: short(error),
    };
    let shown = Arc::new(Mutex::new(None));
    let watched = Arc::new(Watched {
        verifier: verifier.clone(),
        shown: shown.clone(),
    });
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| why(&error))?
        .dangerous()
        .with_custom_certificate_verifier(watched)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| why(&error))?;
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match timeout(WAIT, connecting).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => {
            let refused = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>())
                .is_some_and(|inner| matches!(inner, rustls::Error::InvalidCertificate(_)));
            Err(match refused {
                true => Error::Certificate {
                    host: host.to_owned(),
                    fingerprint: shown.lock().unwrap_or_else(PoisonError::into_inner).take(),
                    why: short(error),
                },
                false => Error::lost(error),
            })
        }
        Err(_) => Err(Error::timed_out("TLS")),
    }
}

/// SHA-256 of a certificate, in the form in which SSH shows those of keys.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(certificate)))
}

/// Takes the one certificate that is known, and no other.
#[derive(Debug)]
pub(super) struct Pinned(pub String);

impl Pinned {
    pub fn verifier(self) -> Arc<dyn ServerCertVerifier> {
        Arc::new(self)
    }
}

/// Remembers what was shown, for the question whether to trust it.
#[derive(Debug)]
struct Watched {
    verifier: Arc<dyn ServerCertVerifier>,
    shown: Arc<Mutex<Option<String>>>,
}

impl ServerCertVerifier for Watched {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint(certificate));
        self.verifier
            .verify_server_cert(certificate, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match fingerprint(certificate) == self.0 {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(rustls::Error::InvalidCertificate(
                rustls::CertificateError::ApplicationVerificationFailure,
            )),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
