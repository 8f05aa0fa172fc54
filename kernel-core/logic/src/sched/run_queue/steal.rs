//! Where an idle CPU looks for work.

use arch::percpu::{CpuId, CpuSet};

/// In which order an idle CPU looks at the queues of `others` for something to steal: from its own number upwards and
/// around, so that several idle CPUs do not all begin at the same one.
pub fn steal_order(thief: CpuId, others: CpuSet) -> impl Iterator<Item = CpuId> {
    let others = others.without(thief);
    let above = CpuSet::from_bits(others.bits() & (u64::MAX << thief.0));
    let below = CpuSet::from_bits(others.bits() & !above.bits());
    above.iter().chain(below.iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_else_is_visited_once_from_the_thief_upwards() {
        let others = CpuSet::from_bits(0b1011_0110);
        let order: Vec<_> = steal_order(CpuId(4), others).map(|cpu| cpu.0).collect();
        assert_eq!(order, [5, 7, 1, 2]);
        assert_eq!(steal_order(CpuId(63), CpuSet::ALL).count(), 63);
        assert_eq!(steal_order(CpuId(0), CpuSet::only(CpuId(0))).count(), 0);
    }
}
