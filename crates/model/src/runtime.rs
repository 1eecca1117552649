//! Whether libtorch works on this machine, for `edge doctor`.
//!
//! # Example
//! ```
//! use model::{DeviceChoice, device_name};
//! assert!(device_name(DeviceChoice::Cpu).unwrap().starts_with("CPU"));
//! ```

use tch::{Device, Kind, Tensor};

use crate::{DeviceChoice, ModelError};

/// Version of libtorch that tch is paired with.
pub const LIBTORCH_VERSION: &str = "2.11.0";

/// Names the device that would be used, after having computed something on it.
pub fn device_name(choice: DeviceChoice) -> Result<String, ModelError> {
    let device = choice.resolve()?;
    let ones =
        Tensor::f_ones([2, 2], (Kind::Float, device)).map_err(ModelError::torch("trying the device"))?;
    let _product = ones.f_matmul(&ones).map_err(ModelError::torch("trying the device"))?;
    Ok(match device {
        Device::Cuda(index) => format!("GPU {index} of {}", tch::Cuda::device_count()),
        _ => format!("CPU, {} threads", tch::get_num_threads()),
    })
}
