//! Columns and back.

use graph::{Column, Graph, GraphError};

use crate::worlds::{World, instant};

#[test]
fn a_stored_graph_comes_back_equal() {
    let graph = Graph::build(&World::random(5, 40).snapshot(instant(1000)));
    let stored = graph.columns();
    let again = Graph::from_columns(&stored).unwrap();
    assert_eq!(again, graph);
    assert_eq!(again.columns(), stored);
}

#[test]
fn a_missing_or_foreign_column_is_named() {
    let columns = Graph::build(&World::random(5, 4).snapshot(instant(1000))).columns();
    for (index, (name, _)) in columns.iter().enumerate() {
        let mut damaged = columns.clone();
        damaged[index].1 = Column::F32(vec![]);
        let error = Graph::from_columns(&damaged).unwrap_err();
        assert!(matches!(&error, GraphError::Column { column, .. } if column == name), "{error}");
        damaged.remove(index);
        assert!(Graph::from_columns(&damaged).unwrap_err().to_string().contains(name.as_str()));
    }
}

#[test]
fn a_code_that_points_nowhere_is_refused() {
    let mut columns = Graph::build(&World::random(5, 40).snapshot(instant(2000))).columns();
    for (name, column) in &mut columns {
        if let (Column::I64(values), "lines" | "results") = (column, name.as_str()) {
            *values.first_mut().unwrap() = 1_000_000;
        }
    }
    let error = Graph::from_columns(&columns).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the stored graph is damaged: `lines` points outside of its table; build the graph anew"
    );
}
