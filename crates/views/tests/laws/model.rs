//! Generated histories, and the same fold the way anybody would write it down.

mod acts;
mod history;
mod naive;

pub(crate) use acts::{Act, Quoted, READERS, What, acts, undone_acts};
pub(crate) use history::{address, history, place};
pub(crate) use naive::{Came, Comment, Did, Naive, Thread};
