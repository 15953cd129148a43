//! How a user signs in and consents at the target. Forms over plain HTTP are the first rung; a
//! rung takes the navigation that an authorization request began and brings it to a [`Landing`].
//!
//! [`Landing`]: crate::oauth::authorization::Landing

mod choice;
pub mod form;
pub mod html;
pub mod intent;
