//! Everybody's events, as the data platform has them: where its search is, whether it can be asked, and what is new there.
//!
//! How the platform spells its search is not public, so it is a profile; see [`yanhuang::search`]. Its token stands in the
//! keychain, apart from the one by which events are posted.

mod files;
mod pull;
mod reading;
mod settings;
mod statements;

use std::time::Duration;

use secrecy::SecretString;
pub use yanhuang::search::Profile as SearchProfile;

pub use self::files::BadLine;
pub use self::pull::{Far, Known, Position, Pulled, pull};
pub(crate) use self::reading::Reading;
pub use self::reading::{ReadingNow, ReadingOf, ReadingState};
pub use self::settings::{SearchConfiguration, SearchPreset};
pub use self::statements::{Statement, dashboards};
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::keychain::Remember;

const SETTING: &str = "search";
const TOKEN_NOTED: &str = "search.token";
/// Most rows of a trial.
const TRIAL_ROWS: usize = 100;

/// How the search stands.
#[derive(Debug, Clone)]
pub struct SearchStanding {
    /// Where it is, if anywhere.
    pub configuration: Option<SearchConfiguration>,
    /// Whether a token is kept.
    pub token_stored: bool,
}

/// One request of a trial and what came of it, without the token.
#[derive(Debug, Clone)]
pub struct SearchStep {
    /// Method, address and body.
    pub request: String,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Beginning of the answer.
    pub answer: String,
    /// How long it took.
    pub took: Duration,
}

/// What came of trying a profile.
#[derive(Debug, Clone)]
pub struct SearchTest {
    /// The statement that was asked.
    pub sql: String,
    /// What was sent, in order.
    pub steps: Vec<SearchStep>,
    /// How many events of this product there are.
    pub events: Option<u64>,
    /// What went wrong.
    pub problem: Option<Failure>,
}

impl Wangcheng {
    /// Where the platform's search is.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn search_standing(&self) -> Result<SearchStanding> {
        let configuration = self.search_configuration().await?;
        let token_stored = match &configuration {
            Some(configuration) if self.demo_search(configuration) => true,
            Some(_) => self.ledger(|ledger| ledger.setting(TOKEN_NOTED)).await?.is_some(),
            None => false,
        };
        Ok(SearchStanding {
            configuration,
            token_stored,
        })
    }

    /// Says where the platform's search is from now on. `token`: `None` keeps the one that is kept already.
    ///
    /// # Errors
    /// `SearchProfileInvalid`; `BadInput` without any token; the keychain's and the ledger's.
    pub async fn configure_search(
        &self,
        configuration: SearchConfiguration,
        token: Option<SecretString>,
    ) -> Result<SearchStanding> {
        let noted = self.ledger(|ledger| ledger.setting(TOKEN_NOTED)).await?;
        if token.is_none() && noted.is_none() {
            return Err(Failure::new(Code::BadInput).with("field", "token"));
        }
        self.search(&configuration, SecretString::from(String::new()))?;
        if let Some(token) = token {
            self.inner
                .keychain
                .put(&self.search_token_name(), token, Remember::Keychain)
                .await?;
        }
        let text =
            serde_json::to_string(&configuration).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        self.ledger(move |ledger| {
            ledger.set_setting(SETTING, &text)?;
            ledger.set_setting(TOKEN_NOTED, "keychain")
        })
        .await?;
        self.search_standing().await
    }

    /// Asks how many events there are, and shows every request of it. `trial`: a configuration that is not kept yet, with
    /// its token; else the one in use is tried.
    ///
    /// # Errors
    /// `SearchNotConfigured`, `SearchProfileInvalid`; the keychain's and the ledger's. What the platform says stands in the
    /// answer.
    pub async fn test_search(
        &self,
        trial: Option<(SearchConfiguration, Option<SecretString>)>,
    ) -> Result<SearchTest> {
        let search = match trial {
            Some((configuration, Some(token))) => self.search(&configuration, token)?,
            Some((configuration, None)) => {
                let token = self.search_token(&configuration).await?;
                self.search(&configuration, token)?
            }
            None => self.search_in_use().await?.0,
        };
        let sql = statements::trial(&search.profile().event_set)?;
        let mut asking = search.ask(pull::question(sql.clone(), self.now()));
        let answer = heard(asking.all(TRIAL_ROWS).await).and_then(|rows| {
            rows.first()
                .and_then(|row| pull::number(row, "events"))
                .ok_or_else(|| Failure::new(Code::SearchAnswerStrange).saying("the answer holds no count"))
        });
        let steps = asking.steps().iter().map(|step| SearchStep {
            request: step.request.clone(),
            status: step.status,
            answer: step.answer.clone(),
            took: step.took,
        });
        Ok(SearchTest {
            sql,
            steps: steps.collect(),
            events: answer.as_ref().ok().copied(),
            problem: answer.err(),
        })
    }

    /// The statements that answer on the platform what the usage summary answers here.
    ///
    /// # Errors
    /// `SearchProfileInvalid`; as the ledger's.
    pub async fn dashboard_statements(&self) -> Result<Vec<Statement>> {
        let configuration = self.search_configuration().await?;
        let profile = configuration.map_or_else(SearchProfile::job, |configuration| configuration.profile());
        dashboards(&profile.event_set)
    }
}

/// What the platform said, in this program's own words.
fn heard<T>(said: std::result::Result<T, yanhuang::Error>) -> Result<T> {
    use yanhuang::ErrorKind as Kind;
    said.map_err(|error| {
        let code = match error.kind {
            Kind::Unauthorized => Code::SearchTokenRefused,
            Kind::Throttled { .. } | Kind::Unavailable { .. } => Code::SearchUnavailable,
            Kind::Network | Kind::Timeout => Code::SearchUnreachable,
            Kind::BadAddress => Code::SearchProfileInvalid,
            Kind::BadAnswer => Code::SearchAnswerStrange,
            _ => Code::SearchRejected,
        };
        let mut failure = Failure::new(code).saying(&error.message);
        if let Some(status) = error.status {
            failure = failure.with("status", status);
        }
        if code == Code::SearchProfileInvalid {
            failure = failure.with("field", error.message.split(':').next().unwrap_or_default());
        }
        match error.retry_after() {
            Some(wait) => failure.with("seconds", wait.as_secs()),
            None => failure,
        }
    })
}
