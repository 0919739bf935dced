//! Where does a window go that was open before, on the monitors that are there now?
//!
//! Pure, in physical pixels.

use serde::{Deserialize, Serialize};

/// So much of a window, from its upper edge, has to be on a monitor for it to be moved with the mouse.
const GRIP: (i64, i64) = (120, 40);

/// Where a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Place {
    /// From the left of all monitors.
    pub(crate) x: i32,
    /// From their top.
    pub(crate) y: i32,
    /// Of its content.
    pub(crate) width: u32,
    /// Of its content.
    pub(crate) height: u32,
    /// Whether it fills its monitor; the rest is where it was before.
    #[serde(default)]
    pub(crate) maximized: bool,
}

/// A monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    /// Of its upper left corner.
    pub(crate) x: i32,
    /// Of its upper left corner.
    pub(crate) y: i32,
    /// How wide it is.
    pub(crate) width: u32,
    /// How high it is.
    pub(crate) height: u32,
}

/// The place as it can be now: no larger than its monitor, and at the same place if its upper edge can be reached there. `None`
/// for the position leaves it to the window manager.
pub(crate) fn fitted(place: Place, monitors: &[Area]) -> (Option<(i32, i32)>, (u32, u32)) {
    let on = monitors.iter().find(|monitor| reaches(place, **monitor));
    let room =
        on.or_else(|| monitors.iter().max_by_key(|monitor| u64::from(monitor.width) * u64::from(monitor.height)));
    let size =
        room.map_or((place.width, place.height), |room| (place.width.min(room.width), place.height.min(room.height)));
    (on.map(|_| (place.x, place.y)), size)
}

/// Whether enough of the window's upper edge is on the monitor.
fn reaches(place: Place, monitor: Area) -> bool {
    let (left, top) = (i64::from(place.x), i64::from(place.y));
    let (right, bottom) =
        (i64::from(monitor.x) + i64::from(monitor.width), i64::from(monitor.y) + i64::from(monitor.height));
    let wide = (left + i64::from(place.width)).min(right) - left.max(i64::from(monitor.x));
    wide >= GRIP.0 && top >= i64::from(monitor.y) && top + GRIP.1 <= bottom
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Area = Area { x: 0, y: 0, width: 1920, height: 1080 };
    const RIGHT: Area = Area { x: 1920, y: 0, width: 2560, height: 1440 };

    fn place(x: i32, y: i32, width: u32, height: u32) -> Place {
        Place { x, y, width, height, maximized: false }
    }

    #[test]
    fn a_window_comes_back_where_it_was() {
        assert_eq!(fitted(place(2000, 100, 2400, 1200), &[LEFT, RIGHT]), (Some((2000, 100)), (2400, 1200)));
        // Half of it hangs out of the monitor, which the user wanted.
        assert_eq!(fitted(place(-600, 10, 1200, 800), &[LEFT]), (Some((-600, 10)), (1200, 800)));
    }

    #[test]
    fn a_window_of_a_monitor_that_is_gone_comes_back_where_it_can_be_reached() {
        assert_eq!(fitted(place(2000, 100, 2400, 1200), &[LEFT]), (None, (1920, 1080)));
        for unreachable in
            [place(1900, 10, 900, 800), place(-1150, 10, 1200, 800), place(10, -50, 900, 800), place(0, 1070, 9, 9)]
        {
            assert_eq!(fitted(unreachable, &[LEFT]).0, None, "{unreachable:?}");
        }
        assert_eq!(fitted(place(i32::MAX, i32::MIN, u32::MAX, 1), &[LEFT]), (None, (1920, 1)));
        assert_eq!(fitted(place(5, 6, 700, 800), &[]), (None, (700, 800)));
    }
}
