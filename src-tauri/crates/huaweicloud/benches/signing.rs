//! What signing one request costs, beside the hashing that it cannot do without.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use huaweicloud::Credentials;
use huaweicloud::signing::{self, RequestToSign};
use sha2::{Digest, Sha256};

const SECRET: &str = "ExampleSecretKey0000000000000000000000001";
const BODY: [u8; 1024] = [b'x'; 1024];

fn main() {
    divan::main();
}

/// One creation of a server: three headers and 1 KiB of body.
#[divan::bench]
fn sign_one_request(bencher: divan::Bencher<'_, '_>) {
    let credentials = Credentials::permanent("EXAMPLEAK00000000001", SECRET);
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        (
            "X-Client-Token".to_owned(),
            "12345678-90ab-4cde-8f01-23456789abcd".to_owned(),
        ),
    ];
    let now = DateTime::<Utc>::UNIX_EPOCH;
    bencher.bench(|| {
        let request = RequestToSign {
            method: "POST",
            path: "/v1.1/0123456789abcdef0123456789abcdef/cloudservers",
            query: &[],
            headers: divan::black_box(&headers),
            body: divan::black_box(&BODY),
        };
        signing::sign(&request, "ecs.cn-north-4.myhuaweicloud.com", &credentials, now)
    });
}

/// The hashing inside that: the body, the canonical request (about 300 bytes), and the HMAC over the string
/// to sign.
#[divan::bench]
fn bare_hashing(bencher: divan::Bencher<'_, '_>) {
    let canonical = [b'c'; 300];
    let to_sign = [b's'; 97];
    bencher.bench(|| {
        let body = Sha256::digest(divan::black_box(BODY));
        let request = Sha256::digest(divan::black_box(canonical));
        let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).map(|mut mac| {
            mac.update(divan::black_box(&to_sign));
            mac.finalize().into_bytes()
        });
        (body, request, mac.ok())
    });
}
