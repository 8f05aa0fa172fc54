//! The deepest path from a function on.
//!
//! Every path is looked at, each function once for each state of the budgets that the declarations give to recursion. A path
//! that comes back to a function with the same budgets could go on forever; it is reported, and so is whatever on a path is not
//! known. The result is an upper bound: a path is deep by its instructions, whether or not any data makes the kernel take it.

use super::declared::Says;
use super::frame::{Call, Target};
use super::graph::{Graph, Node};
use iced_x86::{Instruction, Mnemonic};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Which paths are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paths {
    /// Those of a kernel that works: a panic is where a path ends.
    Working,
    /// All, panics included.
    All,
}

/// How often each bounded group of functions may still be entered.
type Budgets = Vec<u8>;

/// A function on a path: its number, and the budgets that are left in it.
type Step = (usize, Budgets);

/// The deepest path from a step on.
#[derive(Debug, Clone)]
struct Deepest {
    bytes: u64,
    /// How deep the function is when it calls the next, and that, unless it is deepest itself.
    next: Option<(u64, Step)>,
}

/// A search for deepest paths.
pub struct Search<'g, 'a> {
    graph: &'g mut Graph<'a>,
    paths: Paths,
    found: HashMap<Step, Deepest>,
    path: Vec<Step>,
    /// For each function, which bounds count for it or for anything that it leads to: no other budget matters there.
    relevant: HashMap<usize, BTreeSet<usize>>,
    doubts: BTreeMap<(u64, usize), String>,
}

/// A path with the bytes that each function on it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// All of them.
    pub bytes: u64,
    /// Bytes and name of each function.
    pub functions: Vec<(u64, String)>,
}

impl<'g, 'a> Search<'g, 'a> {
    /// A search in `graph`.
    pub fn new(graph: &'g mut Graph<'a>, paths: Paths) -> Self {
        Self {
            graph,
            paths,
            found: HashMap::new(),
            path: Vec::new(),
            relevant: HashMap::new(),
            doubts: BTreeMap::new(),
        }
    }

    /// What keeps the results from being bounds.
    pub fn doubts(self) -> impl Iterator<Item = String> {
        self.doubts.into_values()
    }

    /// The deepest path from the function of this number.
    pub fn from(&mut self, number: usize) -> Path {
        let bounds = self.graph.declared.each(|says| match says {
            Says::Bound { times, .. } => Some(*times),
            _ => None,
        });
        let full = bounds.map(|(_, times)| times).collect();
        self.learn_relevant(number);
        let Some(budgets) = self.entered(number, full) else {
            return Path {
                bytes: 0,
                functions: Vec::new(),
            };
        };
        let start = (number, budgets);
        self.deepest(&start);
        self.told(start)
    }

    /// Follows what was found from `step` on.
    fn told(&self, mut step: Step) -> Path {
        let bytes = self.found[&step].bytes;
        let mut functions = Vec::new();
        loop {
            let deepest = &self.found[&step];
            let name = self.graph.name(step.0).to_owned();
            match &deepest.next {
                None => {
                    functions.push((deepest.bytes, name));
                    return Path { bytes, functions };
                }
                Some((depth, next)) => {
                    functions.push((*depth, name));
                    step = next.clone();
                }
            }
        }
    }

    /// The budgets left in the function of this number if it is entered with `budgets`; none if they do not allow it.
    fn entered(&mut self, number: usize, mut budgets: Budgets) -> Option<Budgets> {
        for bound in &self.graph.node(number).bounds {
            budgets[*bound] = budgets[*bound].checked_sub(1)?;
        }
        if let Some(relevant) = self.relevant.get(&number) {
            let irrelevant = (0..budgets.len()).filter(|bound| !relevant.contains(bound));
            irrelevant.for_each(|bound| budgets[bound] = 0);
        }
        Some(budgets)
    }

    /// Finds out which bounds matter to the functions that can be reached from `start`: again and again, until nothing is added.
    fn learn_relevant(&mut self, start: usize) {
        let reachable = self.reachable(start);
        for number in &reachable {
            let bounds = self.graph.node(*number).bounds.iter().copied().collect();
            self.relevant.entry(*number).or_insert(bounds);
        }
        let mut grew = true;
        while grew {
            grew = false;
            for number in reachable.iter().rev() {
                let below: BTreeSet<usize> = self
                    .followers(*number)
                    .iter()
                    .flat_map(|target| self.relevant[target].iter().copied())
                    .collect();
                let known = self.relevant.entry(*number).or_default();
                let before = known.len();
                known.extend(below);
                grew |= known.len() > before;
            }
        }
    }

    /// The functions that can be reached from `start`, that one included.
    fn reachable(&mut self, start: usize) -> Vec<usize> {
        let mut found = vec![start];
        let mut seen = BTreeSet::from([start]);
        let mut next = 0;
        while let Some(number) = found.get(next).copied() {
            next += 1;
            let new = self.followers(number).into_iter().filter(|target| seen.insert(*target));
            found.extend(new);
        }
        found
    }

    /// The functions that the one of this number can lead to, on the paths looked at.
    fn followers(&mut self, number: usize) -> Vec<usize> {
        let targets = self.graph.node(number).targets.concat();
        let followed = |target: &usize| self.paths == Paths::All || !self.graph.node(*target).is_panic;
        targets.into_iter().filter(followed).collect()
    }

    fn deepest(&mut self, step: &Step) -> u64 {
        if let Some(known) = self.found.get(step) {
            return known.bytes;
        }
        if self.path.contains(step) {
            self.doubt_cycle(step);
            return 0;
        }
        self.path.push(step.clone());
        let deepest = self.look(step);
        self.path.pop();
        let bytes = deepest.bytes;
        self.found.insert(step.clone(), deepest);
        bytes
    }

    /// Looks at a function's own needs and at all that it calls.
    fn look(&mut self, (number, budgets): &Step) -> Deepest {
        let node = self.graph.node(*number);
        self.doubt_frame(*number, &node);
        let mut deepest = Deepest {
            bytes: node.frame.own,
            next: None,
        };
        for (call, targets) in node.frame.calls.iter().zip(&node.targets) {
            if targets.is_empty() && !self.is_left(*number, call) {
                self.doubt_call(*number, call);
            }
            for target in targets {
                let Some(next) = self.next(*target, budgets) else {
                    continue;
                };
                let bytes = call.depth + self.deepest(&next);
                if bytes > deepest.bytes && self.found.contains_key(&next) {
                    deepest = Deepest {
                        bytes,
                        next: Some((call.depth, next)),
                    };
                }
            }
        }
        deepest
    }

    /// The step into `target`, if the paths looked at go there.
    fn next(&mut self, target: usize, budgets: &Budgets) -> Option<Step> {
        if self.paths == Paths::Working && self.graph.node(target).is_panic {
            return None;
        }
        Some((target, self.entered(target, budgets.clone())?))
    }

    fn doubt_frame(&mut self, number: usize, node: &Node) {
        let name = self.graph.name(number);
        let left = |by: &Instruction| by.mnemonic() == Mnemonic::Mov && self.graph.declared.leaves(name);
        if let Some(instruction) = node.frame.unclear.filter(|instruction| !left(instruction)) {
            let doubt = format!(
                "where the stack is after {:#x} in {name} is not known",
                instruction.ip()
            );
            self.doubts.insert((instruction.ip(), 0), doubt);
        }
    }

    /// Whether `call` is declared to lead out of the image's functions.
    fn is_left(&self, number: usize, call: &Call) -> bool {
        matches!(call.to, Target::Known(_)) && self.graph.declared.leaves(self.graph.name(number))
    }

    fn doubt_call(&mut self, number: usize, call: &Call) {
        let (by, name) = (call.by.ip(), self.graph.name(number));
        let doubt = match call.to {
            Target::Known(address) => format!("{by:#x} in {name} leads to {address:#x}, where no function is"),
            Target::Computed => format!(
                "{by:#x} in {name} calls a computed address, and no declaration says where that leads; on the path {}",
                self.shown(0)
            ),
        };
        self.doubts.entry((by, 0)).or_insert(doubt);
    }

    fn doubt_cycle(&mut self, step: &Step) {
        let from = self.path.iter().position(|each| each == step).unwrap_or(0);
        let name = self.graph.name(step.0);
        let doubt = format!("a recursion that no declaration bounds: {} > {name}", self.shown(from));
        self.doubts.entry((0, step.0)).or_insert(doubt);
    }

    /// The names on the path from a position on.
    fn shown(&self, from: usize) -> String {
        let names: Vec<&str> = self.path[from..].iter().map(|step| self.graph.name(step.0)).collect();
        names.join(" > ")
    }
}
