//! `switch ESTIMATE TRUTH [position]`: the numbers of the switch report, and the one-allele check of the estimate.

use x_vcf::eval::{SwitchOptions, one_allele, switch_error};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let options = SwitchOptions { by_position: args.len() > 2, ..SwitchOptions::default() };
    let report = switch_error(args[0].as_ref(), args[1].as_ref(), &options, &Default::default())?;
    let t = report.total();
    println!("{t:?} hets {} disc {} invalid {}", report.truth_hets, report.discordant, report.invalid);
    println!("mac {:?} near {:?} far {:?}", report.by_mac, report.near, report.far);
    println!("{:?}", one_allele(args[0].as_ref(), None, 3, &Default::default())?);
    Ok(())
}
