//! Who calls whom in an image.
//!
//! A call to a computed address may lead to any function that its line of the declarations names, as far as the function's address is
//! somewhere in the image's data or code: what nobody has the address of, nobody can compute.

use super::super::image::Image;
use super::declared::{Declared, Says};
use super::frame::{self, Call, Common, Frame, Target};
use iced_x86::OpKind;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// The functions of an image as far as they were asked for, and what each needs.
pub struct Graph<'a> {
    image: &'a Image,
    common: Common<'a>,
    /// What is declared about it.
    pub declared: &'a Declared,
    numbers: BTreeMap<u64, usize>,
    addresses_taken: HashSet<u64>,
    nodes: HashMap<usize, Rc<Node>>,
}

/// A function's own needs, and its calls with all functions that each may lead to.
#[derive(Debug)]
pub struct Node {
    /// What its instructions do.
    pub frame: Frame,
    /// For each call, the numbers of the functions that it may lead to.
    pub targets: Vec<Vec<usize>>,
    /// Whether a panic begins here.
    pub is_panic: bool,
    /// The bounds that it counts for, by their places among all bounds.
    pub bounds: Vec<usize>,
}

impl<'a> Graph<'a> {
    /// Nothing is looked at before it is asked for.
    pub fn new(image: &'a Image, declared: &'a Declared) -> Self {
        let starts = image.functions.iter().enumerate();
        Self {
            image,
            common: Common::of(image),
            declared,
            numbers: starts.map(|(number, each)| (each.range.start, number)).collect(),
            addresses_taken: addresses_taken(image),
            nodes: HashMap::new(),
        }
    }

    /// The name of the function of this number.
    pub fn name(&self, number: usize) -> &'a str {
        &self.image.functions[number].name
    }

    /// The function of this number.
    pub fn node(&mut self, number: usize) -> Rc<Node> {
        if let Some(known) = self.nodes.get(&number) {
            return Rc::clone(known);
        }
        let node = Rc::new(self.look_at(number));
        self.nodes.insert(number, Rc::clone(&node));
        node
    }

    fn look_at(&self, number: usize) -> Node {
        let function = &self.image.functions[number];
        let frame = frame::of(&self.common, function);
        let targets = frame
            .calls
            .iter()
            .map(|call| self.targets(&function.name, call))
            .collect();
        Node {
            frame,
            targets,
            is_panic: self.declared.is_panic(&function.name),
            bounds: self.bounds(&function.name),
        }
    }

    /// Which bounds the function `name` counts for.
    fn bounds(&self, name: &str) -> Vec<usize> {
        let all = self.declared.each(|says| match says {
            Says::Bound { name, .. } => Some(name),
            _ => None,
        });
        let matching = all.enumerate().filter(|(_, (_, pattern))| pattern.matches(name));
        matching
            .map(|(place, (line, _))| {
                line.is_used();
                place
            })
            .collect()
    }

    /// The functions that `call` in the function `caller` may lead to.
    fn targets(&self, caller: &str, call: &Call) -> Vec<usize> {
        match call.to {
            Target::Known(address) => self.containing(address).into_iter().collect(),
            Target::Computed => self.declared_targets(&self.callers(caller, call.by.ip())),
        }
    }

    /// The function that `address` is the start of, or lies in.
    fn containing(&self, address: u64) -> Option<usize> {
        let (_, number) = self.numbers.range(..=address).next_back()?;
        self.image.functions[*number]
            .range
            .contains(&address)
            .then_some(*number)
    }

    /// The function `caller`, and the one that was inlined in it where the instruction at `address` is: what a declaration names as
    /// the caller is a function of the source.
    fn callers(&self, caller: &str, address: u64) -> Vec<String> {
        let places = self
            .image
            .places(address)
            .into_iter()
            .take(1)
            .map(|place| place.function);
        places.chain([caller.to_owned()]).collect()
    }

    fn declared_targets(&self, callers: &[String]) -> Vec<usize> {
        let calls = self.declared.each(|says| match says {
            Says::Calls { from, to } if callers.iter().any(|caller| from.matches(caller)) => Some(to),
            _ => None,
        });
        let mut targets = Vec::new();
        for (line, to) in calls {
            line.is_used();
            targets.extend((0..self.image.functions.len()).filter(|number| {
                let function = &self.image.functions[*number];
                to.matches(&function.name) && self.addresses_taken.contains(&function.range.start)
            }));
        }
        targets
    }
}

/// The words in the image's data that could be addresses, and the addresses that instructions load.
fn addresses_taken(image: &Image) -> HashSet<u64> {
    let data = image.sections.iter().filter(|section| !section.rights.execute);
    let words = data
        .flat_map(|section| section.bytes.as_chunks().0)
        .map(|word| u64::from_le_bytes(*word));
    let loads = image.all_instructions().filter_map(|(_, instruction)| {
        let numbers = (0..instruction.op_count()).find(|operand| {
            matches!(
                instruction.op_kind(*operand),
                OpKind::Immediate32to64 | OpKind::Immediate64 | OpKind::Immediate32
            )
        });
        match numbers {
            Some(operand) => Some(instruction.immediate(operand)),
            None => instruction
                .is_ip_rel_memory_operand()
                .then(|| instruction.memory_displacement64()),
        }
    });
    words.chain(loads).collect()
}
