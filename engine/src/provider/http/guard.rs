//! Keeps calls out of the operator's own network: neither an address by number nor a name that stands for one gets
//! there. The address that is called is the one that was looked at, so a name can't change in between.

use std::net::{IpAddr, SocketAddr};

use domain::provider::network::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Looks names up, and leaves out addresses that may not be called.
#[derive(Debug, Clone, Copy)]
pub(in crate::provider) struct Guard {
    /// Whether any address may be called.
    pub private: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let open: Vec<SocketAddr> = found.filter(|address| private || is_public(address.ip())).collect();
            match open.is_empty() {
                true => Err(format!("{} has no address that may be called", name.as_str()).into()),
                false => Ok(Box::new(open.into_iter()) as Addrs),
            }
        })
    }
}

/// Refuses an address by number that may not be called.
pub(in crate::provider) fn may_call(url: &Url, private: bool) -> Result<(), String> {
    let number: Option<IpAddr> = match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        _ => None,
    };
    match number.filter(|address| !private && !is_public(*address)) {
        Some(address) => Err(format!("{address} may not be called: it is no address of the public internet")),
        None => Ok(()),
    }
}
