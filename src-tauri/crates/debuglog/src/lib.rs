//! debuglog
