//! What went wrong, in the one form that the ledger keeps, the interface shows and callers act on.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// What kind of thing went wrong. Stable: stored in the ledger and matched by interface and command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "each name is its own sentence; the words for users stand in `api::words`"
)]
pub enum Code {
    // the cloud
    NetworkUnreachable,
    SignatureWrong,
    ClockWrong,
    KeyLocked,
    PermissionMissing,
    Money,
    QuotaReached,
    Capacity,
    StateConflict,
    CloudMissing,
    Throttled,
    CloudFailed,
    BadAnswer,
    CloudRefused,
    // keychain
    KeychainLocked,
    KeychainAbsent,
    KeychainTimeout,
    KeychainFailed,
    KeyNotStored,
    // accounts
    NotSignedIn,
    AccountUnknown,
    AccountNameInvalid,
    AccessKeyInvalid,
    RegionUnknown,
    ProjectUnknown,
    DemoUnavailable,
    KeyFileUnreadable,
    KeyGone,
    ProxyInvalid,
    AuthorityUnreadable,
    LinkInvalid,
    FolderNotShown,
    BundleNotWritten,
    ExportNotWritten,
    NotPrinted,
    // creating
    NameInvalid,
    PurposeInvalid,
    LeaseTooShort,
    LeaseTooLong,
    TemplateUnknown,
    TemplateInvalid,
    TemplatesUnreadable,
    FlavorUnavailable,
    ImageUnavailable,
    ZoneUnavailable,
    NetworkMissing,
    SubnetFull,
    KeyPairMissing,
    PriceUnknown,
    BandwidthInvalid,
    UserDataTooLong,
    UserDataKind,
    UserDataUnreadable,
    UserDataKey,
    UserDataIgnored,
    AddressInvalid,
    AddressTooWide,
    // servers
    ServerUnknown,
    NotOwn,
    NotAdopted,
    AlreadyOwn,
    NameMismatch,
    ServerBusy,
    LeaseAbsent,
    DiskUnknown,
    DiskSizeInvalid,
    DiskTypeUnavailable,
    DiskSlotsFull,
    DiskAttached,
    DiskNotAttached,
    DiskIsSystem,
    LeftoverUnknown,
    JobFailed,
    OutcomeUnknown,
    OperationUnknown,
    CancelTooLate,
    Cancelled,
    ResizeImpossible,
    StopNeeded,
    TagInvalid,
    TagKept,
    TagsTooMany,
    PasswordInvalid,
    PasswordPluginMissing,
    PasswordNotSent,
    PasswordPerhapsSet,
    // sessions
    SessionUnknown,
    SessionsTooMany,
    SessionEnded,
    ServerNotRunning,
    ServerWithoutSsh,
    AddressAbsent,
    SshUnreachable,
    SshNotUp,
    HostKeyUnknown,
    HostKeyChanged,
    HostKeyRevoked,
    HostKeysUnreadable,
    LoginRefused,
    SshKeyUnusable,
    SshAgentUnavailable,
    SshLost,
    SshTimeout,
    SshRejected,
    SshProtocol,
    SessionNotOpen,
    ScreenAbsent,
    ScreenRefused,
    ScreenLogin,
    ScreenSecurity,
    ScreenProtocol,
    CertificateUntrusted,
    ConsoleUnreachable,
    PageNotShown,
    EditorAbsent,
    SshConfigInvalid,
    PortTaken,
    TunnelUnknown,
    TunnelInvalid,
    TunnelsTooMany,
    CopiesTooMany,
    FileMissing,
    FileDenied,
    FileExists,
    FileNameUnsafe,
    FileNotCopied,
    FileChanged,
    FileDiskFull,
    FileTooLarge,
    FileFailed,
    // grants
    GrantLinkInvalid,
    GrantFingerprint,
    GrantUnreachable,
    GrantUnreadable,
    GrantNewer,
    GrantStranger,
    GrantSignatureWrong,
    GrantKeyChanged,
    GrantOfOther,
    GrantOtherJoined,
    GrantOlder,
    GrantFromFuture,
    GrantExpired,
    GrantRevoked,
    GrantNotNamed,
    GrantAbsent,
    GrantLimit,
    GrantNotAllowed,
    GrantPriceUnknown,
    GrantNoOffice,
    GrantOfficeThere,
    GrantKeyAbsent,
    GrantNotPublished,
    GrantPassphrase,
    GrantTokenClosed,
    GrantBackup,
    // ledger
    LedgerInUse,
    LedgerNewer,
    LedgerFull,
    LedgerReadOnly,
    LedgerFailed,
    LedgerSetAside,
    // delivery
    DeliveryNotConfigured,
    DeliveryAddressInvalid,
    DeliveryTokenRefused,
    DeliveryTooLarge,
    DeliveryRejected,
    DeliveryUnavailable,
    DeliveryUnreachable,
    DeliveryThrottled,
    // search
    SearchNotConfigured,
    SearchProfileInvalid,
    SearchTokenRefused,
    SearchRejected,
    SearchUnavailable,
    SearchUnreachable,
    SearchAnswerStrange,
    PullUnderWay,
    ExportUnreadable,
    // asking without wanting it done
    Rehearsed,
    // asking wrongly
    BadInput,
    Internal,
}

/// Something that went wrong.
///
/// `facts` fill the blanks of the sentence shown (`limit`, `minutes`, `name` …); `detail` is the other side's own
/// text, shown as text and never matched on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code:?}{}", detail.as_deref().map(|d| format!(": {d}")).unwrap_or_default())]
pub struct Failure {
    /// What to act on.
    pub code: Code,
    /// Blanks of the sentence.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// The other side's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The provider's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
    /// The provider's request id, which its support asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The act may have been carried out although this was the answer: the state has to be read before anything is
    /// sent again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outcome_open: bool,
}

/// A result of the domain.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure without further facts.
    pub fn new(code: Code) -> Self {
        Self {
            code,
            facts: BTreeMap::new(),
            detail: None,
            provider_code: None,
            request_id: None,
            outcome_open: false,
        }
    }

    /// The same with one blank of its sentence filled.
    #[must_use]
    pub fn with(mut self, blank: &str, value: impl ToString) -> Self {
        self.facts.insert(blank.to_owned(), value.to_string());
        self
    }

    /// The same with the other side's own words.
    #[must_use]
    pub fn saying(mut self, detail: impl ToString) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// Whether time alone may change this answer.
    pub fn is_passing(&self) -> bool {
        matches!(
            self.code,
            Code::NetworkUnreachable | Code::CloudFailed | Code::Throttled
        )
    }

    /// Whether the keychain is what fails.
    pub fn is_keychain(&self) -> bool {
        matches!(
            self.code,
            Code::KeychainLocked | Code::KeychainAbsent | Code::KeychainTimeout | Code::KeychainFailed
        )
    }

    /// Whether it is about a grant: nothing was asked of the cloud.
    pub fn is_grant(&self) -> bool {
        matches!(
            self.code,
            Code::GrantUnreadable
                | Code::GrantNewer
                | Code::GrantStranger
                | Code::GrantSignatureWrong
                | Code::GrantFromFuture
                | Code::GrantExpired
                | Code::GrantRevoked
                | Code::GrantNotNamed
                | Code::GrantLimit
                | Code::GrantNotAllowed
                | Code::GrantPriceUnknown
        )
    }

    /// Whether asking this account's cloud again is pointless (and, for bad signatures, harmful) until a person
    /// did something about it.
    pub fn stops_account(&self) -> bool {
        matches!(
            self.code,
            Code::SignatureWrong
                | Code::ClockWrong
                | Code::KeyLocked
                | Code::KeyNotStored
                | Code::KeychainLocked
                | Code::KeychainAbsent
                | Code::KeychainTimeout
                | Code::KeychainFailed
        )
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

/// A difference of clocks as a person reads it, in whole minutes; the cloud's clock is only told to the second.
pub(crate) fn minutes(difference: TimeDelta) -> String {
    ((difference.num_seconds().abs() + 30) / 60).to_string()
}
