"""What makes the expert the driver it is."""

from __future__ import annotations

from dataclasses import dataclass

from ..speed import Driver


@dataclass(frozen=True)
class ExpertConfig:
    """Constants of the expert, m, s, m/s, m/s2."""

    shares: tuple[float, ...] = (1.0, 0.8, 0.6, 0.4, 0.2)
    """Shares of the allowed speed that are proposed."""
    offsets_m: tuple[float, ...] = (0.0, 0.5, -0.5, 1.0, -1.0)
    """Lateral offsets from the lane's middle that are proposed all along."""
    brakes_mps2: tuple[float, ...] = (2.5, 4.0, 6.0, 8.0)
    releases_s: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
    """When a stop before others' way may be given up for a gap."""
    headway_s: float = 1.2
    accel_mps2: float = 2.2
    brake_mps2: float = 2.5
    lateral_accel_mps2: float = 2.5
    jerk_mps3: float = 4.0
    unlimited_mps: float = 14.0
    pass_clearance_m: float = 0.6
    """Room sought beside something that stands when passing it."""
    pass_least_m: float = 0.18
    """Room that must do where more would lead across the lane's boundary."""
    change_s: float = 4.0
    """Duration of a lane change."""
    settle_s: float = 2.5
    """Duration of coming back to the middle of the lane."""
    walk_mps: float = 1.8
    """How fast someone at the kerb may step out."""
    kerb_latency_s: float = 0.8
    kerb_brake_mps2: float = 3.8
    """Until the brakes bite, and how hard they then are: the speed beside people at the kerb follows."""
    hidden_walk_mps: float = 1.5
    hidden_latency_s: float = 0.9
    hidden_brake_mps2: float = 4.5
    """The same for those who cannot be seen and may not be there."""
    hidden_least_mps: float = 3.5
    """Nobody drives slower than this for who may not be there."""
    loyalty: float = 0.03
    """Advantage of what was chosen last time."""
    weight_progress: float = 5.0
    weight_ttc: float = 5.0
    weight_limit: float = 4.0
    weight_comfort: float = 4.0

    @property
    def driver(self) -> Driver:
        """The parameters that kernels take."""
        return Driver(self.headway_s, self.accel_mps2, self.brake_mps2, self.lateral_accel_mps2)
