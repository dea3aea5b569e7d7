//! What a twin is.
