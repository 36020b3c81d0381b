//! Who asks for something, and as what.

use crate::ids::AuthorId;

/// What an actor is to a site, beyond being a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May hold, approve, remove, restore and feature comments, resolve flags, ban authors, void votes and set modes.
    Moderator,
    /// May open sites and set them, erase comments and authors, and what a moderator may.
    Administrator,
    /// Another service. May open, update, move and close threads, name authors, hold comments, and erase what people ask for.
    Service,
}

/// A set of roles.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Roles {
    moderator: bool,
    administrator: bool,
    service: bool,
}

impl Roles {
    /// Whether the set holds the role.
    pub fn has(self, role: Role) -> bool {
        match role {
            Role::Moderator => self.moderator,
            Role::Administrator => self.administrator,
            Role::Service => self.service,
        }
    }

    /// The roles of the set, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        [Role::Moderator, Role::Administrator, Role::Service].into_iter().filter(move |role| self.has(*role))
    }
}

impl std::fmt::Debug for Roles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        let mut set = Self::default();
        for role in roles {
            match role {
                Role::Moderator => set.moderator = true,
                Role::Administrator => set.administrator = true,
                Role::Service => set.service = true,
            }
        }
        set
    }
}

/// Who asked, and as what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The opaque id; of a post the author, of a vote the voter.
    pub id: AuthorId,
    /// What the actor is to the site.
    pub roles: Roles,
}
