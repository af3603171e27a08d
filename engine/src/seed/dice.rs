//! Numbers that look like chance and are the same for everybody.

/// What makes one draw differ from another: what it is about, and which one.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The dice of the `index`th thing of a kind.
    pub fn of(kind: u64, index: usize) -> Self {
        let mut dice =
            Self(kind.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
        dice.roll();
        dice
    }

    /// Sixty-four bits (splitmix64).
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `bound`; 0 when there is nothing to choose.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.roll()) * bound as u128) >> 64) as usize
    }

    /// The same, the lower the likelier: a half of the draws falls into the first quarter.
    pub fn low_below(&mut self, bound: usize) -> usize {
        let drawn = self.below(bound) as u128;
        (drawn * drawn / (bound.max(1) as u128)) as usize
    }

    /// From `low` to `high`, both inclusive.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as usize) as i64
    }

    /// Whether it happens, in `percent` of the draws.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn pick<'t, T>(&mut self, several: &'t [T]) -> &'t T {
        &several[self.below(several.len())]
    }
}
