//! The store suite on both stores.

mod on_memory {
    use cardo_store::MemoryStore;

    async fn make() -> (MemoryStore, ()) {
        (MemoryStore::new(), ())
    }

    cardo_testkit::store_suite!(make);
}

mod on_sqlite {
    use cardo_store::{SqliteOptions, SqliteStore};
    use tempfile::TempDir;

    async fn make() -> (SqliteStore, TempDir) {
        let dir = TempDir::new().expect("a temporary directory");
        let store = SqliteStore::open(dir.path(), SqliteOptions::default()).await;
        (store.expect("an empty directory can be opened"), dir)
    }

    cardo_testkit::store_suite!(make);
}
