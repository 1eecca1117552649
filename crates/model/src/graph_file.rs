//! A graph as `latest.pt`: its columns as named tensors in libtorch's own format.
//!
//! # Example
//! ```
//! use data::Snapshot;
//! use graph::Graph;
//! use model::{graph_from_bytes, graph_to_bytes};
//! let snapshot = Snapshot::new("2021-11-11T09:00:00Z".parse().unwrap(), vec![], vec![], vec![], vec![]);
//! let graph = Graph::build(&snapshot);
//! assert_eq!(graph_from_bytes(&graph_to_bytes(&graph).unwrap()).unwrap(), graph);
//! assert!(graph_from_bytes(b"<html>not found</html>").is_err());
//! ```

use std::io::Cursor;

use graph::{Column, Graph};
use tch::{Device, Kind, Tensor, kind::Element};

use crate::ModelError;

/// Returns the graph's bytes; the same graph gives the same bytes.
pub fn graph_to_bytes(graph: &Graph) -> Result<Vec<u8>, ModelError> {
    let named: Vec<(String, Tensor)> =
        graph.columns().into_iter().map(|(name, column)| (name, to_tensor(&column))).collect();
    let mut bytes = Vec::new();
    Tensor::save_multi_to_stream(&named, &mut bytes).map_err(ModelError::torch("writing the graph file"))?;
    Ok(bytes)
}

/// Reads the bytes of [`graph_to_bytes`].
///
/// # Errors
/// When they are not libtorch's format or the columns do not fit together.
pub fn graph_from_bytes(bytes: &[u8]) -> Result<Graph, ModelError> {
    let corrupt = |error: &dyn std::fmt::Display| {
        // libtorch appends its stack; the first line says it all.
        ModelError::GraphFile(error.to_string().lines().next().unwrap_or("it is unreadable").to_owned())
    };
    let named = Tensor::load_multi_from_stream_with_device(Cursor::new(bytes), Device::Cpu)
        .map_err(|error| corrupt(&error))?;
    let columns = named
        .iter()
        .map(|(name, tensor)| Ok((name.clone(), from_tensor(name, tensor)?)))
        .collect::<Result<Vec<_>, ModelError>>()?;
    Graph::from_columns(&columns).map_err(|error| corrupt(&error))
}

/// One element more than the column has: tch hands libtorch's null pointer of an empty tensor to `slice::from_raw_parts`,
/// which aborts.
fn to_tensor(column: &Column) -> Tensor {
    fn tensor<T: Element + Copy + Default>(values: &[T]) -> Tensor {
        Tensor::from_slice(&[values, &[T::default()]].concat())
    }
    match column {
        Column::F32(values) => tensor(values),
        Column::F64(values) => tensor(values),
        Column::I64(values) => tensor(values),
        Column::U8(values) => tensor(values),
    }
}

fn from_tensor(name: &str, tensor: &Tensor) -> Result<Column, ModelError> {
    fn values<T: Element + Copy>(name: &str, tensor: &Tensor) -> Result<Vec<T>, ModelError> {
        let flat = Vec::try_from(tensor).ok().and_then(|mut values: Vec<T>| values.pop().map(|_| values));
        flat.ok_or_else(|| ModelError::GraphFile(format!("column `{name}` is no flat array")))
    }
    match tensor.kind() {
        Kind::Float => values(name, tensor).map(Column::F32),
        Kind::Double => values(name, tensor).map(Column::F64),
        Kind::Int64 => values(name, tensor).map(Column::I64),
        Kind::Uint8 => values(name, tensor).map(Column::U8),
        other => Err(ModelError::GraphFile(format!("column `{name}` holds {other:?}"))),
    }
}
