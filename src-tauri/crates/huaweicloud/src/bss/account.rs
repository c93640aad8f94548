//! The account's money, and the services that can be billed.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::bills::currency;
use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::{lenient, wire};

const PAGE: usize = 100;

/// What is left in one of an account's purses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Balance {
    /// The purse.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub account_id: Option<String>,
    /// Which kind of purse it is, by the vendor's number: 1 is money, 2 is credit.
    #[serde(rename = "account_type", default, deserialize_with = "lenient::number")]
    pub kind: Option<u32>,
    /// What is left.
    #[serde(deserialize_with = "lenient::required_decimal")]
    pub amount: Decimal,
    /// The currency, such as `CNY`; empty if the answer does not say.
    #[serde(default, deserialize_with = "lenient::text")]
    pub currency: String,
    /// How much credit is granted.
    #[serde(rename = "credit_amount", default, deserialize_with = "lenient::decimal")]
    pub credit: Option<Decimal>,
}

/// An account's money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balances {
    /// The currency of the debt, such as `CNY`.
    pub currency: String,
    /// What is owed; `None` if the answer does not say.
    pub debt: Option<Decimal>,
    /// What is left.
    pub purses: Listing<Balance>,
}

/// `ShowCustomerAccountBalances`. Needs `bss:balance:view`.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/BSS/doc?api=ShowCustomerAccountBalances>
///
/// # Errors
/// [`crate::ErrorKind::Permission`] without that right, or another of [`crate::ErrorKind`].
pub async fn balances(client: &Client) -> Result<Reply<Balances>, Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient::decimal")]
        debt_amount: Option<Decimal>,
    }
    let call = Call::get(
        Service::Bss,
        "ShowCustomerAccountBalances",
        ["v2", "accounts", "customer-accounts", "balances"],
    );
    let answer = client.send(&call).await?;
    let balances = Balances {
        currency: currency(&answer)?,
        debt: answer.parse::<Body>()?.debt_amount,
        purses: wire::rows(&answer, "account_balances")?,
    };
    Ok(answer.reply(balances))
}

/// A service, as bills name it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ServiceType {
    /// Its code, such as `hws.service.type.ec2`.
    #[serde(rename = "service_type_code", deserialize_with = "lenient::required")]
    pub code: String,
    /// Its name in the account's language.
    #[serde(rename = "service_type_name", default, deserialize_with = "lenient::text")]
    pub name: String,
    /// The short name, such as `ECS`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub abbreviation: String,
}

/// `ListServiceTypes`: all services that can be billed. It needs no right, and so tells whether an account belongs
/// to this site.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/BSS/doc?api=ListServiceTypes>
///
/// # Errors
/// [`crate::ErrorKind::Auth`] with `CBC.0150` or `CBC.0156` if the account belongs to the other site.
pub async fn service_types(client: &Client) -> Result<Reply<Listing<ServiceType>>, Error> {
    let call = |offset: usize| {
        Call::get(
            Service::Bss,
            "ListServiceTypes",
            ["v2", "products", "service-types"],
        )
        .with("offset", offset.to_string())
        .with("limit", PAGE.to_string())
    };
    let (listing, answer) = wire::by_offset(client, "service_types", PAGE, call).await?;
    Ok(answer.reply(listing))
}
