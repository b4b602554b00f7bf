//! How many connections a destination is given at once.

/// Few at first, more while it takes what it is given, half as many when it is in trouble.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Window {
    size: usize,
    most: usize,
    /// Deliveries that went well since it last grew.
    well: usize,
}

/// Connections to a destination that nothing is known of.
const START: usize = 2;

impl Window {
    /// For a destination that may have `most` connections, at least one.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { size: START.min(most), most, well: 0 }
    }

    /// Connections that it may have now.
    pub(super) fn size(self) -> usize {
        self.size
    }

    /// Something was taken, or refused for good reason: one connection more once each had its turn.
    pub(super) fn went_well(&mut self) {
        self.well += 1;
        if self.well >= self.size {
            self.well = 0;
            self.size = (self.size + 1).min(self.most);
        }
    }

    /// It could not be reached, or asked us to come back later.
    pub(super) fn had_trouble(&mut self) {
        self.well = 0;
        self.size = (self.size / 2).max(1);
    }

    /// Whether it says no more than a new one would.
    pub(super) fn is_new(self) -> bool {
        self == Self::new(self.most)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_grows_by_one_for_each_turn_and_shrinks_by_half() {
        let mut window = Window::new(5);
        let mut sizes = vec![window.size()];
        for _ in 0..20 {
            window.went_well();
            sizes.push(window.size());
        }
        assert_eq!(&sizes[..10], [2, 2, 3, 3, 3, 4, 4, 4, 4, 5]);
        assert_eq!(window.size(), 5);
        window.had_trouble();
        assert_eq!(window.size(), 2);
        window.had_trouble();
        window.had_trouble();
        assert_eq!(window.size(), 1);
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(most in 0_usize..50, turns in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut window = Window::new(most);
            for well in turns {
                if well { window.went_well() } else { window.had_trouble() }
                prop_assert!((1..=most.max(1)).contains(&window.size()));
            }
        }
    }
}
