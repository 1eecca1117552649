//! How often one caller may ask.
//!
//! Whoever presents a token is counted by it, anybody else by address; addresses of version 6 by their first 64 bits,
//! because one household has all of the rest.
//!
//! # Example
//! ```
//! use serve::Rate;
//! let rate = Rate::new(50, 0).unwrap();
//! assert_eq!(rate, Rate::new(50, 50).unwrap(), "as many at once as in a second, unless said otherwise");
//! assert!(Rate::new(0, 0).is_none(), "no limit");
//! ```

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

/// After so many questions callers who have long been silent are forgotten.
const TIDY_EVERY: u32 = 4096;

/// Questions per second and caller, and how many may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

impl Rate {
    /// Builds a limit; none for 0 per second. A `burst` of 0 is one second's worth.
    pub fn new(per_second: u32, burst: u32) -> Option<Self> {
        let per_second = NonZeroU32::new(per_second)?;
        Some(Self { per_second, burst: NonZeroU32::new(burst).unwrap_or(per_second) })
    }
}

/// Whom a question is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    Token(u32),
    Peer(IpAddr),
}

impl Counted {
    pub(crate) fn peer(address: IpAddr) -> Self {
        Self::Peer(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Counts questions.
pub(crate) struct Limits {
    limiter: Option<DefaultKeyedRateLimiter<Counted>>,
    clock: DefaultClock,
    asked: AtomicU32,
}

impl Limits {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        let quota = |rate: Rate| Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let limiter = rate.map(|rate| RateLimiter::keyed(quota(rate)));
        Self { limiter, clock: DefaultClock::default(), asked: AtomicU32::new(0) }
    }

    /// Counts one question, or says after which time it may be put.
    pub(crate) fn take(&self, counted: Counted) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.asked.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            limiter.retain_recent();
        }
        limiter.check_key(&counted).map_err(|refused| refused.wait_time_from(self.clock.now()))
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_share_of_his_own() {
        let limits = Limits::new(Rate::new(1, 2));
        let (token, peer) = (Counted::Token(0), Counted::peer("10.0.0.1".parse().unwrap()));
        assert!(limits.take(token).is_ok() && limits.take(token).is_ok());
        let wait = limits.take(token).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(limits.take(peer).is_ok());
        let unlimited = Limits::new(None);
        assert!((0..10_000).all(|_| unlimited.take(token).is_ok()));
    }

    #[test]
    fn a_household_is_one_caller() {
        let peer = |text: &str| Counted::peer(text.parse().unwrap());
        assert_eq!(peer("2001:db8:1:2::1"), peer("2001:db8:1:2:ffff::9"));
        assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
        assert_eq!(peer("::ffff:10.0.0.1"), peer("10.0.0.1"));
    }
}
