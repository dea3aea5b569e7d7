//! What every store has to do, sentence by sentence of the port's documentation. A store's tests
//! stamp it with [`crate::store_suite!`].
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it has to be")]

mod begin;
mod build;
mod history;
mod log;
mod names;
mod random;
mod state;

pub use begin::*;
pub use build::{
    Collected, append, deleted, document, entity_event, instance_deleted, project, reading,
    record_at, sensor, twin,
};
pub use history::*;
pub use log::*;
pub use names::*;
pub use random::*;
pub use state::*;

/// Stamps the suite on a store: one test for each of its functions.
///
/// It takes the name of an async function that makes an empty store, and something that lives as
/// long as the store is used, such as its directory. The crate that uses it needs `tokio`.
#[macro_export]
macro_rules! store_suite {
    ($make:path) => {
        $crate::store_suite!(@ $make:
            a_new_twin_has_no_head_and_an_empty_log,
            an_append_is_read_back_in_order,
            an_append_on_another_head_is_behind_and_changes_nothing,
            one_call_appends_to_many_twins_and_leaves_out_those_behind,
            appends_of_one_call_to_one_twin_follow_one_another,
            an_append_with_a_gap_is_refused,
            an_append_without_records_only_compares_the_head,
            reading_starts_behind_the_given_revision,
            reading_stops_at_the_size_but_gives_one_record,
            a_large_append_is_read_back_piece_by_piece,
            twins_are_those_that_were_written_to,
            a_cut_log_names_its_oldest_revision,
            a_cut_beyond_what_is_projected_is_refused,
            the_head_survives_when_the_whole_log_is_cut,
            of_racing_appends_one_wins,
            names_get_dense_ids_that_never_change,
            racing_writers_agree_on_names,
            positions_of_followers_are_kept_and_forgotten,
            a_closed_store_refuses_every_call,
            what_is_projected_is_loaded_in_the_order_of_creation,
            a_projection_replaces_and_removes,
            a_projection_on_another_revision_is_refused_and_changes_nothing,
            a_projection_of_unsorted_entities_is_refused,
            a_projection_without_a_log_is_refused,
            twins_do_not_see_one_another,
            documents_and_offsets_keep_their_last_state,
            history_comes_by_attribute_dataset_and_time,
            late_readings_take_their_place,
            history_starts_with_from_and_ends_before_until,
            only_asked_attributes_answer,
            last_counts_for_each_attribute_and_dataset,
            a_limit_cuts_the_first_rows,
            amendments_and_heads_are_handed_out_always,
            creations_and_deletions_stay_in_history,
            readings_of_one_moment_come_by_revision_and_ordinal,
            a_twin_begins_behind_a_revision_once,
            a_dropped_twin_leaves_nothing,
            what_holds_at_a_cut_and_behind_it_stays,
            a_walk_hands_out_what_was_written_up_to_a_moment,
            random_twins_equal_a_plain_model,
        );
    };
    (@ $make:path: $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                $crate::store_suite::$name($make).await;
            }
        )*
    };
}
