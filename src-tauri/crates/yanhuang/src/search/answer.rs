//! Rows out of answers that are spelled as a profile says.

use serde_json::{Map, Value};

use super::MOST_ROWS;
use super::profile::{Results, RowShape};
use crate::{Error, ErrorKind};

/// Most columns of a result.
const MOST_COLUMNS: usize = 2000;

/// A row: its cells by the names of their columns.
pub type Row = Map<String, Value>;

/// What an answer holds of a result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The rows.
    pub rows: Vec<Row>,
    /// How many the whole result has, where the answer says so.
    pub total: Option<usize>,
}

fn strange(why: &str) -> Error {
    Error::new(ErrorKind::BadAnswer, why)
}

/// A text or a number at a place of an answer.
pub(super) fn text_at(answer: &Value, pointer: &str) -> Option<String> {
    match answer.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Takes the rows out of an answer.
///
/// # Errors
/// [`ErrorKind::BadAnswer`].
pub(super) fn rows(mut answer: Value, shape: &Results) -> Result<Rows, Error> {
    let total = Some(&shape.total_pointer)
        .filter(|pointer| !pointer.is_empty())
        .and_then(|pointer| text_at(&answer, pointer))
        .and_then(|total| total.parse().ok());
    let columns = Some(&shape.columns_pointer)
        .filter(|pointer| !pointer.is_empty())
        .and_then(|pointer| answer.pointer(pointer))
        .map(names)
        .transpose()?;
    let Some(Value::Array(found)) = answer.pointer_mut(&shape.rows_pointer).map(Value::take) else {
        return Err(strange(
            "the answer holds no rows where the profile says they are",
        ));
    };
    if found.len() > MOST_ROWS {
        return Err(strange("the answer holds too many rows"));
    }
    let rows = found.into_iter().map(|row| match (row, shape.row_shape) {
        (Value::Object(row), RowShape::Objects | RowShape::ObjectsOrArrays) if row.len() <= MOST_COLUMNS => {
            Ok(row)
        }
        (Value::Array(cells), RowShape::Arrays | RowShape::ObjectsOrArrays) => {
            let columns = columns
                .as_ref()
                .ok_or_else(|| strange("a row has no names for its cells"))?;
            if columns.len() != cells.len() {
                return Err(strange("a row has not as many cells as there are columns"));
            }
            Ok(columns.iter().cloned().zip(cells).collect())
        }
        _ => Err(strange("a row has not the shape that the profile says")),
    });
    Ok(Rows {
        rows: rows.collect::<Result<_, _>>()?,
        total,
    })
}

fn names(columns: &Value) -> Result<Vec<String>, Error> {
    let unread = || strange("the names of the columns cannot be read");
    let columns = columns.as_array().filter(|columns| columns.len() <= MOST_COLUMNS);
    columns
        .ok_or_else(unread)?
        .iter()
        .map(|column| match column {
            Value::String(name) => Ok(name.clone()),
            other => text_at(other, "/name").ok_or_else(unread),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape() -> Results {
        Results::default()
    }

    #[test]
    fn rows_come_as_objects_or_as_arrays_with_names() {
        let objects = rows(json!({"rows": [{"a": 1}], "total": "7"}), &shape()).unwrap();
        let arrays = rows(
            json!({"columns": [{"name": "a", "type": "long"}], "rows": [[1]], "total": 7}),
            &shape(),
        )
        .unwrap();
        assert_eq!(objects, arrays);
        assert_eq!(objects.total, Some(7));
        let bare = Results {
            rows_pointer: String::new(),
            ..shape()
        };
        assert_eq!(rows(json!([{"a": 1}]), &bare).unwrap().rows.len(), 1);
    }

    #[test]
    fn what_has_another_shape_is_refused_without_a_guess() {
        for answer in [
            json!(null),
            json!({"rows": {}}),
            json!({"rows": [1]}),
            json!({"rows": [[1]]}),
            json!({"rows": [[1, 2]], "columns": ["a"]}),
            json!({"rows": [], "columns": [[]]}),
        ] {
            assert_eq!(
                rows(answer.clone(), &shape()).unwrap_err().kind,
                ErrorKind::BadAnswer,
                "{answer}"
            );
        }
    }
}
