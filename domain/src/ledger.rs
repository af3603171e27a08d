//! Gift cards and store credit: an account is an append-only list of entries
//! whose sum is its balance. Both are means of payment: they pay a total and
//! never change a tax ([`crate::totals::Totals::pay`]).
//!
//! What a checkout takes is an entry at its Begin, so that nobody else can spend
//! it; given up, it is given back by another entry. Nothing is ever changed or
//! deleted. Moments are microseconds since 1970, UTC; amounts are minor units of
//! the account's currency.

use crate::id::LedgerAccountId;
use crate::money::{Currency, MAX_MINOR, Money};
use crate::order::Paid;
use crate::refusal::{ErrorCode, Refusal};
use crate::word::words;

words! {
    /// What an account is.
    pub enum LedgerKind {
        /// A gift card: whoever has its code spends it.
        GiftCard = "GIFT_CARD",
        /// What the shop owes a customer, in one currency.
        StoreCredit = "STORE_CREDIT",
    }
}

words! {
    /// What an entry does.
    pub enum LedgerEntryKind {
        /// The account gets what it was bought or made for.
        Issue = "ISSUE",
        /// A checkout takes from it.
        Spend = "SPEND",
        /// A checkout that was given up, or a canceled order, gives back what it took.
        Release = "RELEASE",
        /// An order gives back a part of what was paid with it.
        Refund = "REFUND",
        /// Staff put something on it.
        Credit = "CREDIT",
        /// Staff take something off it.
        Debit = "DEBIT",
        /// It moves to another account.
        TransferOut = "TRANSFER_OUT",
        /// It comes from another account.
        TransferIn = "TRANSFER_IN",
    }
}

impl LedgerEntryKind {
    /// Whether it takes from the account.
    pub fn takes(self) -> bool {
        matches!(self, Self::Spend | Self::Debit | Self::TransferOut)
    }
}

words! {
    /// Why an account pays nothing.
    pub enum LedgerObstacle {
        /// Staff have frozen it.
        Frozen = "FROZEN",
        /// Its time is over.
        Expired = "EXPIRED",
        /// It is in another currency than the cart.
        OtherCurrency = "OTHER_CURRENCY",
        /// Nothing is left on it.
        Empty = "EMPTY",
        /// What stands before it pays everything already that cards may pay.
        NotNeeded = "NOT_NEEDED",
        /// It stands before it in the list already.
        Duplicate = "DUPLICATE",
    }
}

/// One movement of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerEntry {
    /// What it does.
    pub kind: LedgerEntryKind,
    /// What it adds to the balance: above zero, or below when it takes.
    pub amount_minor: i64,
}

/// An account as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerAccount {
    /// Its id.
    pub id: LedgerAccountId,
    /// What it is.
    pub kind: LedgerKind,
    /// Its currency, once for all.
    pub currency: Currency,
    /// What is on it: the sum of its entries.
    pub balance_minor: i64,
    /// Until when it can be spent, exclusive; for ever when absent.
    pub expires_at: Option<i64>,
    /// Whether staff have frozen it.
    pub frozen: bool,
}

/// What is on an account with these entries.
pub fn balance(entries: &[LedgerEntry]) -> i64 {
    entries.iter().fold(0, |sum: i64, entry| sum.saturating_add(entry.amount_minor))
}

/// An entry of this kind over an amount above zero, with the balance that it
/// leaves: the only way to a new entry.
///
/// # Errors
/// No amount, more than is there, or more than can be counted; at the path `amount`.
pub fn enter(balance_minor: i64, kind: LedgerEntryKind, amount_minor: i64) -> Result<(LedgerEntry, i64), Refusal> {
    if amount_minor < 1 {
        return Err(Refusal::new(ErrorCode::Invalid, "The amount must be above zero.").at(["amount"]));
    }
    let signed = if kind.takes() { -amount_minor } else { amount_minor };
    match balance_minor.checked_add(signed) {
        Some(left) if left < 0 => {
            let message = "There is less on the account than is taken from it.";
            Err(Refusal::new(ErrorCode::AmountTooLarge, message).limit(balance_minor).at(["amount"]))
        }
        Some(left) if left <= MAX_MINOR => Ok((LedgerEntry { kind, amount_minor: signed }, left)),
        _ => Err(Refusal::new(ErrorCode::AmountTooLarge, "An account can't hold so much.").at(["amount"])),
    }
}

impl LedgerAccount {
    /// Why it can't pay in a currency at a moment, apart from what it holds.
    fn barred(&self, currency: Currency, now: i64) -> Option<LedgerObstacle> {
        if self.currency != currency {
            Some(LedgerObstacle::OtherCurrency)
        } else if self.frozen {
            Some(LedgerObstacle::Frozen)
        } else if self.expires_at.is_some_and(|end| end <= now) {
            Some(LedgerObstacle::Expired)
        } else {
            None
        }
    }

    /// What can be spent of it at a moment, in its own currency.
    pub fn spendable(&self, now: i64) -> i64 {
        if self.barred(self.currency, now).is_some() { 0 } else { self.balance_minor.max(0) }
    }
}

/// What an account pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerTake {
    /// From which account.
    pub account: LedgerAccountId,
    /// How much, above zero.
    pub amount_minor: i64,
}

/// Which accounts pay how much of a total.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerSpending {
    /// What is taken, in the order of the accounts.
    pub takes: Vec<LedgerTake>,
    /// The accounts that pay nothing, and why.
    pub idle: Vec<(LedgerAccountId, LedgerObstacle)>,
    /// What all of them pay.
    pub paid_minor: i64,
    /// What is left to pay otherwise.
    pub due_minor: i64,
}

/// Pays a total from accounts, in the order in which they were added to the cart:
/// each gives what it has until nothing is due. A total is never paid in excess,
/// and no account goes below zero.
pub fn spend(total: Money, accounts: &[LedgerAccount], now: i64) -> LedgerSpending {
    let mut spending = LedgerSpending { due_minor: total.minor.max(0), ..Default::default() };
    for (place, account) in accounts.iter().enumerate() {
        let amount_minor = account.balance_minor.clamp(0, spending.due_minor);
        let obstacle = if accounts[..place].iter().any(|before| before.id == account.id) {
            Some(LedgerObstacle::Duplicate)
        } else if let Some(barred) = account.barred(total.currency, now) {
            Some(barred)
        } else if account.balance_minor < 1 {
            Some(LedgerObstacle::Empty)
        } else if amount_minor == 0 {
            Some(LedgerObstacle::NotNeeded)
        } else {
            None
        };
        match obstacle {
            Some(obstacle) => spending.idle.push((account.id, obstacle)),
            None => {
                spending.takes.push(LedgerTake { account: account.id, amount_minor });
                spending.paid_minor += amount_minor;
                spending.due_minor -= amount_minor;
            }
        }
    }
    spending
}

/// Whether the gift cards that an order bought are to be there: all of its money was taken, and some of that is still
/// the shop's.
pub fn are_bought_cards_due(total_minor: i64, paid: &Paid) -> bool {
    paid.captured_minor >= total_minor && (total_minor == 0 || paid.refunded_minor < paid.captured_minor)
}

/// The entries that move all that is on a gift card to a customer's store credit.
///
/// # Errors
/// The card can't be spent, holds nothing, or is in another currency than the credit.
pub fn transfer(card: &LedgerAccount, credit: &LedgerAccount, now: i64) -> Result<(LedgerEntry, LedgerEntry), Refusal> {
    let refused = |message: &str| Err(Refusal::new(ErrorCode::StateInvalid, message).about(card.id));
    if (card.kind, credit.kind) != (LedgerKind::GiftCard, LedgerKind::StoreCredit) {
        return refused("Money moves from a gift card to store credit.");
    }
    match card.barred(credit.currency, now) {
        Some(LedgerObstacle::OtherCurrency) => return refused("The card is in another currency."),
        Some(LedgerObstacle::Frozen) => return refused("The card is frozen."),
        Some(_) => return refused("The time of the card is over."),
        None => {}
    }
    if credit.frozen {
        return refused("The store credit is frozen.");
    }
    if card.balance_minor < 1 {
        return refused("Nothing is left on the card.");
    }
    let (out, _) = enter(card.balance_minor, LedgerEntryKind::TransferOut, card.balance_minor)?;
    let (into, _) = enter(credit.balance_minor, LedgerEntryKind::TransferIn, card.balance_minor)?;
    Ok((out, into))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const NOW: i64 = 1_000;

    fn id(number: u128) -> LedgerAccountId {
        LedgerAccountId(Uuid::from_u128(number))
    }

    fn card(number: u128, balance_minor: i64) -> LedgerAccount {
        LedgerAccount {
            id: id(number),
            kind: LedgerKind::GiftCard,
            currency: "EUR".parse().unwrap(),
            balance_minor,
            expires_at: None,
            frozen: false,
        }
    }

    fn euros(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    fn takes(spending: &LedgerSpending) -> Vec<(u128, i64)> {
        spending.takes.iter().map(|take| (take.account.0.as_u128(), take.amount_minor)).collect()
    }

    #[test]
    fn cards_pay_in_their_order_and_the_last_in_part() {
        let spending = spend(euros(7_050), &[card(2, 5_000), card(1, 1_000), card(3, 5_000), card(4, 1)], NOW);
        assert_eq!(takes(&spending), [(2, 5_000), (1, 1_000), (3, 1_050)]);
        assert_eq!((spending.paid_minor, spending.due_minor), (7_050, 0));
        assert_eq!(spending.idle, [(id(4), LedgerObstacle::NotNeeded)]);
        let spending = spend(euros(7_050), &[card(1, 50)], NOW);
        assert_eq!((spending.paid_minor, spending.due_minor), (50, 7_000));
    }

    #[test]
    fn what_cannot_pay_says_why() {
        let yen = LedgerAccount { currency: "JPY".parse().unwrap(), ..card(1, 100) };
        let frozen = LedgerAccount { frozen: true, ..card(2, 100) };
        let over = LedgerAccount { expires_at: Some(NOW), ..card(3, 100) };
        let last_moment = LedgerAccount { expires_at: Some(NOW + 1), ..card(4, 100) };
        let spending = spend(euros(1_000), &[yen, frozen, over, last_moment, card(5, 0), card(4, 100)], NOW);
        assert_eq!(takes(&spending), [(4, 100)]);
        use LedgerObstacle::*;
        let idle = [(id(1), OtherCurrency), (id(2), Frozen), (id(3), Expired), (id(5), Empty), (id(4), Duplicate)];
        assert_eq!(spending.idle, idle);
        assert_eq!([frozen, over, last_moment].map(|account| account.spendable(NOW)), [0, 0, 100]);
    }

    #[test]
    fn bought_cards_are_there_once_all_is_taken_and_until_all_is_given_back() {
        let due = |captured_minor, refunded_minor| {
            are_bought_cards_due(
                100,
                &Paid { authorized_minor: 100, captured_minor, refunded_minor, ..Paid::default() },
            )
        };
        assert_eq!([due(0, 0), due(99, 0), due(100, 0), due(100, 1), due(100, 100)], [false, false, true, true, false]);
        assert!(are_bought_cards_due(0, &Paid::default()));
    }

    #[test]
    fn entries_have_their_sign_and_never_overdraw() {
        let entered =
            |balance, kind, amount| enter(balance, kind, amount).map(|(entry, left)| (entry.amount_minor, left));
        assert_eq!(entered(0, LedgerEntryKind::Issue, 5_000), Ok((5_000, 5_000)));
        assert_eq!(entered(5_000, LedgerEntryKind::Spend, 5_000), Ok((-5_000, 0)));
        assert!(entered(4_999, LedgerEntryKind::Debit, 5_000).is_err());
        assert!(entered(5_000, LedgerEntryKind::Refund, 0).is_err());
        assert!(entered(5_000, LedgerEntryKind::Credit, -1).is_err());
        assert!(entered(MAX_MINOR, LedgerEntryKind::Credit, 1).is_err());
        assert!(entered(1, LedgerEntryKind::Credit, i64::MAX).is_err());
    }

    #[test]
    fn a_card_moves_whole_to_credit_of_its_currency() {
        let credit = LedgerAccount { kind: LedgerKind::StoreCredit, ..card(9, 700) };
        let (out, into) = transfer(&card(1, 2_500), &credit, NOW).unwrap();
        assert_eq!((out.kind, out.amount_minor), (LedgerEntryKind::TransferOut, -2_500));
        assert_eq!((into.kind, into.amount_minor), (LedgerEntryKind::TransferIn, 2_500));
        let other = LedgerAccount { currency: "JPY".parse().unwrap(), ..credit };
        for (card, credit) in [
            (card(1, 0), credit),
            (LedgerAccount { frozen: true, ..card(1, 5) }, credit),
            (LedgerAccount { expires_at: Some(1), ..card(1, 5) }, credit),
            (card(1, 5), other),
            (card(1, 5), LedgerAccount { frozen: true, ..credit }),
            (credit, credit),
        ] {
            assert_eq!(transfer(&card, &credit, NOW).unwrap_err().code, ErrorCode::StateInvalid);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn the_balance_is_the_sum_and_never_below_zero(
            wished in prop::collection::vec((prop::sample::select(LedgerEntryKind::ALL), -5..20_000_i64), 0..60),
        ) {
            let (mut entries, mut left) = (Vec::new(), 0);
            for (kind, amount) in wished {
                match enter(left, kind, amount) {
                    Ok((entry, now)) => {
                        entries.push(entry);
                        left = now;
                    }
                    Err(_) => prop_assert!(amount < 1 || (kind.takes() && amount > left)),
                }
                prop_assert!(left >= 0);
                prop_assert_eq!(balance(&entries), left);
            }
        }

        #[test]
        fn spending_loses_nothing(
            total in 0..50_000_i64,
            balances in prop::collection::vec((0..20_000_i64, any::<bool>()), 0..8),
        ) {
            let accounts: Vec<_> = balances
                .iter()
                .zip(0..)
                .map(|((balance, frozen), number)| LedgerAccount { frozen: *frozen, ..card(number, *balance) })
                .collect();
            let spending = spend(euros(total), &accounts, NOW);
            let sum: i64 = spending.takes.iter().map(|take| take.amount_minor).sum();
            prop_assert_eq!(sum, spending.paid_minor);
            prop_assert_eq!(spending.paid_minor + spending.due_minor, total);
            prop_assert_eq!(spending.takes.len() + spending.idle.len(), accounts.len());
            let there: i64 = accounts.iter().map(|account| account.spendable(NOW)).sum();
            prop_assert_eq!(spending.paid_minor, total.min(there));
            let mut left: std::collections::BTreeMap<_, _> = accounts.iter().map(|a| (a.id, a.balance_minor)).collect();
            for take in &spending.takes {
                *left.get_mut(&take.account).unwrap() -= take.amount_minor;
                prop_assert!(take.amount_minor > 0 && left[&take.account] >= 0);
            }
        }
    }
}
