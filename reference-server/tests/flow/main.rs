//! The server from outside: conformant, and with each defect.

#[cfg(test)]
mod authorization;
#[cfg(test)]
mod defects;
#[cfg(test)]
mod support;
#[cfg(test)]
mod token;
#[cfg(test)]
mod wallet;
