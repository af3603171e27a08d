//! The forms that calls bring.

use serde_json::{Map, Value, json};

/// A form as a tree: `a[b]=1` is an object, `a[]=1` and `a[0]=1` are lists.
pub fn tree(form: &str) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in url::form_urlencoded::parse(form.as_bytes()) {
        let parts: Vec<&str> = name.split('[').map(|part| part.trim_end_matches(']')).collect();
        let mut at = &mut root;
        for (depth, part) in parts.iter().enumerate() {
            let leaf = depth + 1 == parts.len();
            if depth > 0 && (part.is_empty() || part.parse::<usize>().is_ok()) {
                if !at.is_array() {
                    *at = json!([]);
                }
                let list = at.as_array_mut().unwrap();
                list.push(Value::Null);
                at = list.last_mut().unwrap();
            } else {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at = at.as_object_mut().unwrap().entry(*part).or_insert(Value::Null);
            }
            if leaf {
                *at = json!(value);
            }
        }
    }
    root
}

/// A number of a form; -1 when it is none.
pub fn number(value: &Value) -> i64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(-1)
}
