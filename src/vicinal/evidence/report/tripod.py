"""TRIPOD+AI: the items of the reporting guideline for prediction models, and what of each a report can fill.

Collins et al. 2024, "TRIPOD+AI statement: updated guidance for reporting clinical prediction models that use regression
or machine learning methods", BMJ 385:e078378: 27 items, 52 with their sub-items. Held item by item against the
checklist (CC BY 4.0, as copied in Aperivue/medsci-skills at 0353da9), and asked in our own words; a paper should be
held against the published one. Knows the shape of `evidence.json`; must not know how it was made.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

__all__ = ["ITEMS", "Item", "State", "state"]

State = Literal["filled", "in part", "yours"]
"""Whether the report says it, says some of it, or leaves it to the person."""


class Item(NamedTuple):
    """One item, or sub-item.

    Args:    number: as published.  topic: of the item.  asks: what is to be reported.
             where: what of it the report has, and in which section; empty where it is left to the person.
             whole: whether that is all that is asked.  needs: the part of the evidence it rests on, or nothing.
    """

    number: str
    topic: str
    asks: str
    where: str = ""
    whole: bool = False
    needs: str = ""


def state(item: Item, evidence: Mapping[str, Any]) -> State:
    """Return what a report with this evidence does about an item."""
    if not item.where or (item.needs and item.needs not in evidence):
        return "yours"
    return "filled" if item.whole else "in part"


ITEMS = (
    Item("1", "Title", "that a prediction model is developed or evaluated, for whom, and for which outcome"),
    Item("2", "Abstract", "the items of TRIPOD+AI for Abstracts"),
    Item("3a", "Background",
         "the health care context, diagnostic or prognostic, the reason for a model, and models there are"),
    Item("3b", "Background", "the target population, the purpose in the care pathway, the intended users"),
    Item("3c", "Background", "known health inequalities between sociodemographic groups"),
    Item("4", "Objectives", "the objectives: development, evaluation, or both"),
    Item("5a", "Data",
         "the sources of the data for development and for evaluation, why these, how representative they are",
         "the name of the data set, its notes and its hash; How it was made"),
    Item("5b", "Data", "the dates of the data: accrual, and the end of follow-up"),
    Item("6a", "Participants", "the setting, and number and location of centres"),
    Item("6b", "Participants", "who was eligible", "what the contract refused, recording by recording; Data",
         needs="data"),
    Item("6c", "Participants", "treatments received, and how they were handled"),
    Item("7", "Data preparation",
         "preparation and quality checks, and whether they were alike across sociodemographic groups",
         "the contract's steps, what was left out, what the audit found; Dataflow, Data", needs="data"),
    Item("8a", "Outcome",
         "the outcome, its time horizon, how and when it was assessed and alike across groups, and why this one",
         "the classes, by name; How it was made"),
    Item("8b", "Outcome", "qualifications and demographics of who assessed it, where that needs judgement"),
    Item("8c", "Outcome", "what was done to blind its assessment"),
    Item("9a", "Predictors", "the choice of predictors, and any selection before the model",
         "the channels, as the contract names them; Dataflow", needs="dataflow"),
    Item("9b", "Predictors", "what the predictors are, how and when they were measured, and blinded",
         "channels, rate, length and unit; Dataflow", needs="dataflow"),
    Item("9c", "Predictors", "qualifications and demographics of who assessed them, where that needs judgement"),
    Item("10", "Sample size",
         "how it was arrived at, with any calculation, and why it is enough, for development and for evaluation",
         "numbers in each part, and where too few subjects make a number unreliable; Data, Evidence"),
    Item("11", "Missing data", "how missing data were handled, and why any were left out",
         "recordings left out, with the reason; rows of unknown truth are left out of each metric; Data",
         needs="data"),
    Item("12a", "Analytical methods", "how the data were used, and how they were divided",
         "which rows trained, chose the epoch, calibrated, set the threshold and judged; Data, How it was made",
         whole=True),
    Item("12b", "Analytical methods", "how predictors were handled: rescaling, transformation, standardisation",
         "the contract's steps, one way for training and scoring; Dataflow, the experiment file",
         whole=True, needs="dataflow"),
    Item("12c", "Analytical methods", "the type of model, why, all steps of building it, tuning, internal validation",
         "network, training, selection, calibration, threshold; not why this network; Network, Training",
         needs="network"),
    Item("12d", "Analytical methods", "heterogeneity of parameters and performance across clusters, such as hospitals",
         "the metrics by the columns asked for; Evidence", needs="subgroups"),
    Item("12e", "Analytical methods", "all measures and plots of performance, why these, and how models were compared",
         "discrimination, calibration and net benefit, each with its plot; Evidence, Decisions"),
    Item("12f", "Analytical methods", "updating of the model that came from its evaluation, such as recalibration",
         "every policy the model has had; nothing else is updated; Decisions", whole=True, needs="policy"),
    Item("12g", "Analytical methods", "how predictions were calculated in the evaluation",
         "with `vicinal score` and the model file; logit, calibration, threshold; Dataflow", whole=True),
    Item("13", "Class imbalance", "methods against it, why, and recalibration after them",
         "the loss, in the experiment file; calibration on rows as they come; How it was made"),
    Item("14", "Fairness", "approaches to fairness, and why"),
    Item("15", "Model output", "what comes out, and how thresholds were found, and why",
         "probabilities, thresholds, aim and the rows they were fitted on; not why this aim; Decisions",
         needs="policy"),
    Item("16", "Training versus evaluation", "differences between them in setting, eligibility, outcome, predictors",
         "of data a model has never seen, how they fit its contract; Data", needs="contract"),
    Item("17", "Ethical approval", "the ethics committee, and consent or its waiver"),
    Item("18a", "Funding", "where the money came from, and what the funders did"),
    Item("18b", "Conflicts of interest", "conflicts and financial disclosures of all authors"),
    Item("18c", "Protocol", "where the study protocol can be had, or that there was none"),
    Item("18d", "Registration", "register and number, or that the study was not registered"),
    Item("18e", "Data sharing", "where the data can be had", "name and hash of the data; How it was made"),
    Item("18f", "Code sharing", "where the code of the analysis can be had",
         "the commands, the experiment file and the versions; How it was made"),
    Item("19", "Patient and public involvement",
         "in design, conduct, reporting or dissemination, or that there was none"),
    Item("20a", "Participants", "their flow through the study, with and without the outcome, and follow-up",
         "recordings, subjects and positives of each part, and those left out; Data", needs="data"),
    Item("20b", "Participants",
         "their characteristics in each source of data: dates, predictors, treatments, events, missing data; by group",
         "counts by class; by the columns asked for where there are subgroups; Data", needs="data"),
    Item("20c", "Participants", "important predictors and the outcome in evaluation, compared with development"),
    Item("21", "Model development", "participants and outcome events in each analysis: development, tuning, evaluation",
         "rows, subjects and positives of each part, and of every number; Data, Evidence", whole=True),
    Item("22", "Model specification", "the whole model, so that others can apply it, and restrictions of use",
         "`model.vicinal`: network, weights, contract, calibration, policy; not its licence; Network, Model card",
         needs="network"),
    Item("23a", "Model performance", "estimates with confidence intervals, also for key subgroups",
         "every metric with its interval by subject; groups where columns were asked for; Evidence",
         whole=True),
    Item("23b", "Model performance", "heterogeneity of performance across clusters, where examined",
         "each group, and its gap to all others with an interval; Evidence", whole=True, needs="subgroups"),
    Item("24", "Model updating", "results of updating: the updated model, and performance after it",
         "what each policy came to on the same rows; Decisions", whole=True, needs="earlier_policies"),
    Item("25", "Interpretation", "the main results, fairness among them, beside the objectives and other studies",
         "what the errors mean for 1,000 people; not the rest; at the top", needs="meaning"),
    Item("26", "Limitations",
         "limitations, such as sample and missing data, and what they do to bias, uncertainty and generalisation",
         "audit findings, unreliable numbers, disturbances where asked for; Data, Evidence"),
    Item("27a", "Usability in current care", "how poor or missing input is to be recognised and handled in use",
         "what breaks the contract is refused with the reason, and what is referred; Model card, Decisions"),
    Item("27b", "Usability in current care", "what users must do with input and model, and how expert they must be"),
    Item("27c", "Usability in current care", "next steps for research, for applicability and generalisation"),
)  # fmt: skip
